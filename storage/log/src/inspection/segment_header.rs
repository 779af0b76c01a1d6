//! What a segment says of itself before its first frame.

use super::explain::hex;
use crate::error::io_error;
use crate::segment::{
    MAGIC, SEGMENT_HEADER_BYTES, VERSION, VERSION_REWRITTEN, encode_header, encode_rewritten_header,
};
use crate::{LogError, RewrittenSegment};
use pyralog_env::DiskFile;
use pyralog_model::{Damage, Offset, PartitionId, StoreId};
use std::path::Path;

/// The header of a segment, as far as it can be made out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// 1 as it was appended, 2 of one that compaction wrote.
    pub version: u16,
    /// Whose it is.
    pub store: StoreId,
    /// The partition.
    pub partition: PartitionId,
    /// The offset that it begins at.
    pub base: Offset,
    /// How often it was rewritten; 0 as it was appended.
    pub generation: u64,
    /// The offset after the last one that it stands for; none as it was appended, and
    /// where the header is damaged.
    pub end: Option<Offset>,
}

impl SegmentHeader {
    /// Of a segment as it was appended.
    pub fn appended(store: StoreId, partition: PartitionId, base: Offset) -> SegmentHeader {
        SegmentHeader { version: VERSION, store, partition, base, generation: 0, end: None }
    }

    /// Of one that compaction wrote.
    pub fn rewritten(
        store: StoreId,
        partition: PartitionId,
        entry: &RewrittenSegment,
    ) -> SegmentHeader {
        let RewrittenSegment { base, end, generation, .. } = *entry;
        let version = VERSION_REWRITTEN;
        SegmentHeader { version, store, partition, base, generation, end: Some(end) }
    }

    /// True if compaction wrote the segment: offsets in it may be missing.
    pub fn is_rewritten(&self) -> bool {
        self.version == VERSION_REWRITTEN || self.generation > 0
    }

    /// Reads the header of a file, and says what is wrong with it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read(
        file: &dyn DiskFile,
        path: &Path,
    ) -> Result<(SegmentHeader, Option<Damage>), LogError> {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let read = file.read_at(&mut bytes, 0).map_err(io_error("cannot read", path))?;
        let mut header = SegmentHeader::decode(&bytes);
        let wrong = if read < SEGMENT_HEADER_BYTES {
            let expected = format!("a header of {SEGMENT_HEADER_BYTES} bytes");
            Some(Damage::new(0..read as u64, expected, format!("{read} bytes")))
        } else {
            header.damage(&bytes)
        };
        if wrong.is_some() {
            header.end = None;
        }
        Ok((header, wrong))
    }

    fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> SegmentHeader {
        let version = u16::from_le_bytes([bytes[12], bytes[13]]);
        SegmentHeader {
            version,
            store: StoreId(u128::from_le_bytes(bytes[40..56].try_into().expect("16 bytes"))),
            partition: PartitionId::new(eight(bytes, 16), four(bytes, 24)),
            base: Offset(eight(bytes, 32)),
            generation: eight(bytes, 56),
            end: (version == VERSION_REWRITTEN).then_some(Offset(eight(bytes, 64))),
        }
    }

    fn damage(&self, bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Option<Damage> {
        let computed = crc_fast::crc32_iscsi(&bytes[12..]);
        let carried = four(bytes, 8);
        if bytes[0..8] != MAGIC {
            Some(Damage::new(0..8, "PYRASEG1", hex(&bytes[0..8])))
        } else if ![VERSION, VERSION_REWRITTEN].contains(&self.version) {
            let expected = format!("version {VERSION} or {VERSION_REWRITTEN}");
            Some(Damage::new(12..14, expected, format!("version {}", self.version)))
        } else if carried != computed {
            let expected = format!("a header with the CRC {carried:08x} that it carries");
            Some(Damage::new(8..128, expected, format!("bytes with the CRC {computed:08x}")))
        } else if self.encode() != *bytes {
            let expected = format!("nothing else in a header of version {}", self.version);
            Some(Damage::new(12..128, expected, "more"))
        } else {
            None
        }
    }

    /// The bytes of the header that says this and nothing else.
    fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let SegmentHeader { store, partition, base, generation, end, .. } = *self;
        match end {
            None => encode_header(store, partition, base),
            Some(end) => {
                let entry = RewrittenSegment { base, end, generation, bytes: 0 };
                encode_rewritten_header(store, partition, &entry)
            }
        }
    }
}

fn four(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

fn eight(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}
