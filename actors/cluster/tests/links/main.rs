//! Links between real processes.
//!
//! Two nodes cannot live in one process (ractor's groups are global), so every
//! node here is this very binary, started again: the test `child_node` does
//! nothing unless it is told by its environment to be one.

#![allow(missing_docs)]

mod child;
mod hostile;
mod living;
mod node;
mod proxy;
mod refusing;
mod speaking;
mod speed;
