//! Asking a node in SQL, as a stranger would: over HTTP, with readers of its own.
//!
//! - [`wire`]: a question on its way out, and the lines that come back.
//! - [`answer`]: a whole answer, or why there is none.
//! - [`cell`]: what a cell means, whoever wrote it.
//! - [`judge`]: two tables held against each other.
//! - [`explained`]: the figures in `EXPLAIN ANALYZE`, and in `/metrics`.
//! - [`twisted`]: questions that nobody should ask.

pub mod answer;
pub mod cell;
pub mod explained;
pub mod judge;
pub mod twisted;
pub mod wire;
