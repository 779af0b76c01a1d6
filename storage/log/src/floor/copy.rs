//! One of the two copies of a floor, as bytes.

use super::Bounds;
use crate::LogError;
use crate::error::io_error;
use crate::keyed_crc::keyed_crc;
use pyralog_env::DiskFile;
use pyralog_model::{Durability, Epoch, Offset, PartitionId, StoreId};
use std::path::Path;

/// No sector of a disk is larger, so copies never share one.
pub(super) const COPY_BYTES: usize = 4096;

const MAGIC: [u8; 8] = *b"PYRAFLR1";
const VERSION: u16 = 1;
/// Bytes that are not always zero.
const USED_BYTES: usize = 48;

/// What a copy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) durability: Durability,
    pub(crate) partition: PartitionId,
    pub(crate) bounds: Bounds,
    /// Grows by one with each write.
    pub(crate) sequence: u64,
}

impl Kept {
    /// Where this copy goes in the file.
    pub(super) fn position(&self) -> u64 {
        self.sequence % 2 * COPY_BYTES as u64
    }

    pub(super) fn encode(&self, store: StoreId) -> Box<[u8; COPY_BYTES]> {
        let mut bytes = Box::new([0; COPY_BYTES]);
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10] = match self.durability {
            Durability::Fsync => unreachable!("a log of fsync has no floor"),
            Durability::PageCache => 1,
            Durability::Memory => 2,
        };
        bytes[16..24].copy_from_slice(&self.partition.log.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.partition.partition.0.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.bounds.epoch.0.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.bounds.offset.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.sequence.to_le_bytes());
        let crc = keyed_crc(store, &[&bytes[0..12], &bytes[16..USED_BYTES]]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// None if the copy is not whole.
    fn decode(store: StoreId, bytes: &[u8; COPY_BYTES]) -> Option<Kept> {
        let crc = keyed_crc(store, &[&bytes[0..12], &bytes[16..USED_BYTES]]);
        if bytes[0..8] != MAGIC || bytes[12..16] != crc.to_le_bytes() {
            return None;
        }
        let durability = match bytes[10] {
            1 => Durability::PageCache,
            2 => Durability::Memory,
            _ => return None,
        };
        let partition = PartitionId::new(
            u64::from_le_bytes(field(bytes, 16)),
            u32::from_le_bytes(field(bytes, 24)),
        );
        let epoch = Epoch(u32::from_le_bytes(field(bytes, 28)));
        let offset = Offset(u64::from_le_bytes(field(bytes, 32)));
        let sequence = u64::from_le_bytes(field(bytes, 40));
        let is_plausible = epoch <= Epoch::MAX && offset.0 <= i64::MAX as u64;
        is_plausible.then_some(Kept {
            durability,
            partition,
            bounds: Bounds { offset, epoch },
            sequence,
        })
    }
}

/// Both copies, those that are whole. Refuses a file of a newer program or of another
/// partition.
pub(crate) fn read_copies(
    file: &dyn DiskFile,
    path: &Path,
    store: StoreId,
    partition: PartitionId,
) -> Result<[Option<Kept>; 2], LogError> {
    let corrupt =
        |position, what: String| Err(LogError::Corrupt { path: path.to_owned(), position, what });
    let mut copies = [None, None];
    for (place, copy) in copies.iter_mut().enumerate() {
        let mut bytes = [0; COPY_BYTES];
        let position = (place * COPY_BYTES) as u64;
        file.read_at(&mut bytes, position).map_err(io_error("cannot read", path))?;
        let version = u16::from_le_bytes(field(&bytes, 8));
        if bytes[0..8] == MAGIC && version > VERSION {
            let what = format!("its version is {version}, this program knows {VERSION}");
            return corrupt(position, what);
        }
        *copy = Kept::decode(store, &bytes);
        if let Some(kept) = copy.filter(|kept| kept.partition != partition) {
            return corrupt(position, format!("it is of partition {}", kept.partition));
        }
    }
    Ok(copies)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}
