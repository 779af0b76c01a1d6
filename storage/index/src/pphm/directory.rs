//! Where each partition's block lies, and its checksum: 16 bytes a partition.
//!
//! ```text
//! ├─ position 8 ─┼─ bytes 4 ─┼─ CRC 4 ─┤
//! ```
//!
//! A partition without keys has a block of no bytes. The CRC of the whole directory is
//! in the header.

use super::Facts;

pub(crate) const DIRECTORY_ENTRY_BYTES: usize = 16;

/// One partition's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockAt {
    /// From the beginning of the file.
    pub(crate) position: u64,
    pub(crate) bytes: u32,
    pub(crate) crc: u32,
}

impl BlockAt {
    pub(crate) fn end(&self) -> u64 {
        self.position + u64::from(self.bytes)
    }

    /// The entries in these bytes, whatever their checksum says.
    pub(crate) fn all(bytes: &[u8]) -> Vec<BlockAt> {
        bytes.chunks_exact(DIRECTORY_ENTRY_BYTES).map(entry).collect()
    }
}

pub(crate) fn encode(directory: &[BlockAt]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(directory.len() * DIRECTORY_ENTRY_BYTES);
    for block in directory {
        bytes.extend_from_slice(&block.position.to_le_bytes());
        bytes.extend_from_slice(&block.bytes.to_le_bytes());
        bytes.extend_from_slice(&block.crc.to_le_bytes());
    }
    bytes
}

/// The directory, if blocks follow each other and end with the file.
pub(crate) fn decode(bytes: &[u8], facts: &Facts) -> Result<Vec<BlockAt>, &'static str> {
    if crc_fast::crc32_iscsi(bytes) != facts.directory_crc {
        return Err("its directory fails its checksum");
    }
    let directory = BlockAt::all(bytes);
    let mut end = facts.body_position();
    for block in &directory {
        let follows = block.position >= end && block.position <= facts.file_bytes;
        if !follows || u64::from(block.bytes) > facts.file_bytes - block.position {
            return Err("its directory contradicts itself");
        }
        end = block.end();
    }
    if end != facts.file_bytes {
        return Err("its blocks do not end with the file");
    }
    Ok(directory)
}

fn entry(bytes: &[u8]) -> BlockAt {
    let four = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
    BlockAt {
        position: u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")),
        bytes: four(8),
        crc: four(12),
    }
}
