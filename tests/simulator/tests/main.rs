//! Simulated worlds: tens of thousands of power cuts and clock jumps, and each
//! planted bug caught by them.
//!
//! `PYRALOG_CUTS` sets how many, `PYRALOG_SEED` the first seed; a failure says
//! which seed repeats it.

mod arena;
mod groups;
mod lanes;
mod mixed;
mod power;
mod worlds;
