//! Looking into an index of keys, whatever became of it, without changing a byte.
//!
//! A lookup ends at the first byte that is not as it was written. Whoever looks for the
//! reason wants to see on both sides of the damage. A [`PphmWalk`] goes through a file
//! partition by partition, and says of each damaged place where it begins and ends,
//! what should be there and what is.
//!
//! ```text
//!  .pphm ─────────PphmWalk──────▶ header, directory, then partition, partition, …
//!  keys.manifest ─ManifestFile──▶ which files, and what is wrong
//!  keys/ ─────────audit_keys────▶ findings: every file, held to the manifest
//! ```
//!
//! Nothing is lost with an index: all of it is derived from the records. Bytes are
//! hostile: lengths are held against the file before anything is allocated.

mod audit;
mod header;
mod manifest;
mod part;
#[cfg(test)]
mod tests;
mod walk;

pub use audit::{KeysReport, KeysRequest, audit_keys};
pub use header::PphmHeader;
pub use manifest::ManifestFile;
pub use part::PphmPart;
pub use walk::PphmWalk;

use pyralog_model::Damage;
use std::ops::Range;

/// Bytes that fail their checksum; `what` is what they should be.
fn other_crc(place: Range<u64>, what: &str, stored: u32, computed: u32) -> Damage {
    let expected = format!("{what} with the CRC {stored:08x} that it carries");
    Damage::new(place, expected, format!("bytes with the CRC {computed:08x}"))
}

/// Bytes whose checksum is right and whose words are not.
fn contradiction(place: Range<u64>, what: &str, found: &str) -> Damage {
    Damage::new(place, format!("{what} that agrees with itself"), format!("that {found}"))
}
