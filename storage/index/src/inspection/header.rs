//! The first 128 bytes of a file of keys, as far as they can be made out.

use super::{contradiction, other_crc};
use crate::IndexError;
use crate::error::io_error;
use crate::pphm::{Facts, HEADER_BYTES, MAGIC, VERSION};
use pyralog_env::DiskFile;
use pyralog_model::Damage;
use std::path::Path;

/// Where the version lies.
const VERSION_AT: u64 = 12;

/// The header of a file of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PphmHeader {
    /// What it says; not to be believed where it is damaged.
    pub facts: Facts,
    /// Version of the format.
    pub version: u16,
    /// What is wrong.
    pub damage: Option<Damage>,
}

impl PphmHeader {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// The disk's own.
    pub fn read(file: &dyn DiskFile, path: &Path) -> Result<PphmHeader, IndexError> {
        let len = file.len().map_err(io_error("cannot measure", path))?;
        let mut bytes = [0; HEADER_BYTES];
        let there = usize::try_from(len).unwrap_or(HEADER_BYTES).min(HEADER_BYTES);
        file.read_exact_at(&mut bytes[..there], 0).map_err(io_error("cannot read", path))?;
        let facts = Facts::fields(&bytes);
        let version = u16::from_le_bytes([bytes[12], bytes[13]]);
        let damage = damage(&bytes, &facts, len);
        Ok(PphmHeader { facts, version, damage })
    }

    /// True if a newer program wrote it: its checksum is right, its version not known.
    pub fn is_newer(&self) -> bool {
        let is_whole = self.damage.as_ref().is_none_or(|damage| damage.position == VERSION_AT);
        is_whole && self.version > VERSION
    }

    /// True if what lies behind it can be looked at: its words lead somewhere.
    pub(super) fn leads_on(&self, len: u64) -> bool {
        !self.is_newer() && self.facts.is_sound() && self.facts.body_position() <= len
    }
}

fn damage(bytes: &[u8; HEADER_BYTES], facts: &Facts, len: u64) -> Option<Damage> {
    let whole = HEADER_BYTES as u64;
    if len < whole {
        let expected = format!("a header of {HEADER_BYTES} bytes");
        return Some(Damage::new(0..len, expected, format!("{len} bytes")));
    }
    if bytes[..8] != MAGIC {
        let found = String::from_utf8_lossy(&bytes[..8]).escape_debug().to_string();
        return Some(Damage::new(0..8, String::from_utf8_lossy(&MAGIC), found));
    }
    let stored = u32::from_le_bytes(bytes[8..12].try_into().expect("4 bytes"));
    let computed = crc_fast::crc32_iscsi(&bytes[12..]);
    if stored != computed {
        return Some(other_crc(8..whole, "a header", stored, computed));
    }
    let version = u16::from_le_bytes([bytes[12], bytes[13]]);
    if version > VERSION {
        let expected = format!("version {VERSION} or an earlier one");
        return Some(Damage::new(
            VERSION_AT..VERSION_AT + 2,
            expected,
            format!("version {version}"),
        ));
    }
    // The strict reader has the last word.
    match Facts::decode(bytes, len, Path::new("")) {
        Ok(_) => None,
        Err(_) if facts.file_bytes != len => {
            let expected = format!("a file of {} bytes", facts.file_bytes);
            Some(Damage::new(88..96, expected, format!("one of {len} bytes")))
        }
        Err(_) => Some(contradiction(12..whole, "a header", "its fields do not fit together")),
    }
}
