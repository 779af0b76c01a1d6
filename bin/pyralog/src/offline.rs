//! A data directory seen from outside, while no node runs on it or whatever runs on
//! it: what `pyralog inspect` and `pyralog verify` share. Nothing here writes.

mod history;
mod home;
mod kind;

pub use history::{Replayed, Step, describe, replay, time};
pub use home::{home_of, store_of};
pub use kind::FileKind;
