//! From a key to the offsets of its records.
//!
//! A [`Pphm`] is an immutable file over a range of offsets: a partitioned minimal
//! perfect hash from keys to versions. A [`KeyIndex`] is the index of one partition
//! of a log: a hash map over the newest records, such files over the older ones, and
//! a manifest that says which.
//!
//! ```text
//!  insert ──▶ active map ──seal──▶ frozen map ──build──▶ file ─┐
//!                 │                    │                 file ─┼─merge──▶ larger file
//!                 ▼                    ▼                 file ─┘              │
//!  candidates: newest ────────────────────────────────────────────────────▶ oldest
//! ```
//!
//! The index knows hashes, not keys: it names *candidates*, newest first, and the
//! caller reads the record and compares its key. Everything here is derived from the
//! log; what is missing or damaged is named as a range that must be built again.
//!
//! Nothing here has a thread or a clock: [`KeyIndex::plan`] says what is to be done,
//! [`Work::run`] does it wherever the caller likes, [`KeyIndex::install`] takes it in.
//! The format is drawn in [`pphm`] and in `docs/formats.md`.

pub mod inspection;
pub mod pphm;

mod build;
mod cache;
mod entry;
mod error;
#[cfg(test)]
mod fixtures;
mod hash;
mod key_index;
mod mutation;
mod perfect;
mod reduce;
#[cfg(test)]
mod tests;
mod varint;

pub use build::{Builder, merge};
pub use cache::BlockCache;
pub use entry::{Entry, Version};
pub use error::IndexError;
pub use hash::{check_key, hash_key};
pub use key_index::{
    Built, Candidate, Candidates, KeyIndex, KeyIndexOptions, KeyManifest, MemoryUse, NamedFile,
    Opened, Why, Work, WorkKind,
};
pub use mutation::Mutation;
pub use pphm::{Facts, IndexOf, Newest, Pphm, Spec, Versions};
pub use reduce::{Reduce, Reducer};
