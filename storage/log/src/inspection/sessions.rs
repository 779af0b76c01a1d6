//! A `.sessions` by itself.

use super::explain::hex;
use crate::keyed_crc::keyed_crc;
use crate::sessions::SealedAt;
use crate::sessions::snapshot::{BATCH_BYTES, HEADER_BYTES, MAGIC, SESSION_BYTES, VERSION, decode};
use pyralog_model::{Damage, Lsn, Offset, PartitionId, StoreId};

/// What a `.sessions` says, as far as it can be made out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionsFile {
    /// The partition.
    pub partition: PartitionId,
    /// The offset after the last record of its segment.
    pub next_offset: Offset,
    /// LSN of that segment's last frame.
    pub last_lsn: Lsn,
    /// The greatest session that was forgotten, -1 if none was.
    pub forgotten_session: i64,
    /// The greatest epoch that a forgotten session wrote in.
    pub forgotten_epoch: i16,
    /// The sessions, by number.
    pub sessions: Vec<SessionEntry>,
    /// What is wrong, without its checksum if the store was not given.
    pub damage: Option<Damage>,
}

/// One session of a `.sessions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEntry {
    /// Where it is in the file, in bytes.
    pub position: u64,
    /// Its number.
    pub session: i64,
    /// The epoch that wrote last.
    pub epoch: i16,
    /// Records of that epoch in the log.
    pub stored: u64,
    /// Its last batches: base sequence, records and base offset, the oldest first.
    pub batches: Vec<(i32, u32, Offset)>,
}

impl SessionsFile {
    /// Reads a whole file. Its checksum begins with the store id: without one it is
    /// not checked.
    pub fn read(bytes: &[u8], store: Option<StoreId>) -> SessionsFile {
        let mut header = [0; HEADER_BYTES];
        let there = bytes.len().min(HEADER_BYTES);
        header[..there].copy_from_slice(&bytes[..there]);
        let eight = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("8"));
        let two = |at: usize| i16::from_le_bytes([header[at], header[at + 1]]);
        let four = u32::from_le_bytes(header[24..28].try_into().expect("4 bytes"));
        let mut file = SessionsFile {
            partition: PartitionId::new(eight(16), four),
            next_offset: Offset(eight(32)),
            last_lsn: Lsn(eight(40)),
            forgotten_session: eight(48) as i64,
            forgotten_epoch: two(28),
            sessions: Vec::new(),
            damage: None,
        };
        let body_end = file.read_entries(bytes);
        file.damage = file.find_damage(bytes, store, eight(56), body_end);
        file
    }

    /// Reads entries for as long as they are there; where the last one ends.
    fn read_entries(&mut self, bytes: &[u8]) -> usize {
        let mut at = HEADER_BYTES;
        while let Some(head) = bytes.get(at..at + SESSION_BYTES) {
            let count = usize::from(u16::from_le_bytes([head[18], head[19]]));
            let begin = at + SESSION_BYTES;
            let Some(batches) = bytes.get(begin..begin + count * BATCH_BYTES) else { break };
            self.sessions.push(SessionEntry {
                position: at as u64,
                session: i64::from_le_bytes(field(head, 0)),
                stored: u64::from_le_bytes(field(head, 8)),
                epoch: i16::from_le_bytes(field(head, 16)),
                batches: batches.chunks_exact(BATCH_BYTES).map(batch).collect(),
            });
            at = begin + count * BATCH_BYTES;
        }
        at
    }

    fn find_damage(
        &self,
        bytes: &[u8],
        store: Option<StoreId>,
        count: u64,
        body_end: usize,
    ) -> Option<Damage> {
        let len = bytes.len() as u64;
        if bytes.len() < HEADER_BYTES {
            let expected = format!("a header of {HEADER_BYTES} bytes");
            return Some(Damage::new(0..len, expected, format!("{len} bytes")));
        }
        if bytes[0..8] != MAGIC {
            return Some(Damage::new(0..8, "PYRASESS", hex(&bytes[0..8])));
        }
        let version = u16::from_le_bytes([bytes[12], bytes[13]]);
        if version != VERSION {
            let expected = format!("version {VERSION}");
            return Some(Damage::new(12..14, expected, format!("version {version}")));
        }
        let there = self.sessions.len() as u64;
        if count != there || body_end != bytes.len() {
            let expected = format!("{count} sessions");
            let found = format!("{there}, which end at byte {body_end} of {len}");
            return Some(Damage::new(56..len, expected, found));
        }
        let store = store?;
        let stored = u32::from_le_bytes(field(bytes, 8));
        let computed = keyed_crc(store, &[&bytes[12..]]);
        if stored != computed {
            let expected = format!("a file with the CRC {stored:08x} that it carries");
            let found = format!("bytes with the CRC {computed:08x} in store {store}");
            return Some(Damage::new(8..len, expected, found));
        }
        let SessionsFile { partition, next_offset, last_lsn, .. } = *self;
        let at = SealedAt { store, partition, next_offset, last_lsn };
        let fits = decode(bytes, &at).is_some();
        (!fits).then(|| {
            let expected = "sessions in order, each with 1 to 5 batches that can be";
            Damage::new(HEADER_BYTES as u64..len, expected, "others")
        })
    }
}

fn batch(bytes: &[u8]) -> (i32, u32, Offset) {
    let offset = Offset(u64::from_le_bytes(field(bytes, 8)));
    (i32::from_le_bytes(field(bytes, 0)), u32::from_le_bytes(field(bytes, 4)), offset)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}
