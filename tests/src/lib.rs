//! Whole-system tests: real processes, real sockets, real disks.
//!
//! This library is the harness. It shares no code with what it judges: it finds
//! the `pyralog` binary, talks to it over sockets, and reads what comes back
//! with readers of its own.
//!
//! - [`binary`], [`node`], [`ports`], [`wait`]: a process and its life.
//! - [`kafka`], [`batch`], [`http`], [`kcat`]: speaking to it.
//! - [`load`], [`idempotent`], [`checker`], [`seeded`]: producers under faults, and
//!   the judge.
//! - [`tiers`], [`issued`], [`counters`]: an Obelisk and a Pyramid, and those who
//!   live on ids, counters and sessions.
//! - [`journal`]: a writer and a reader who note the times of everything.
//! - [`process`]: what the system says of a process.
//! - [`actors`]: the supervision tree as the CLI lists it.
//! - [`volume`]: file systems that can lose their power or fill up.
//! - [`flights`]: the year of flights.
//! - [`recordings`], [`mutation`]: what clients said, and how to twist it.
//! - [`sql`]: questions, answers, and how to hold them against others.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a harness of real processes lives in real time, on real threads, in a terminal"
)]

pub mod actors;
pub mod batch;
pub mod binary;
pub mod checker;
pub mod counters;
pub mod crc32c;
pub mod flights;
pub mod http;
pub mod idempotent;
pub mod issued;
pub mod journal;
pub mod kafka;
pub mod kcat;
pub mod load;
pub mod mutation;
pub mod node;
pub mod ports;
pub mod process;
pub mod recordings;
pub mod seeded;
pub mod sql;
pub mod tiers;
pub mod volume;
pub mod wait;
