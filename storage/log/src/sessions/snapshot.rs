//! The table as a file beside a sealed segment, so that a start need not walk it.
//!
//! ```text
//! .sessions ├─ "PYRASESS" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ 0 2 ─┼─ log 8 ─┼─ partition 4 ─┼─ epoch 2 ─┼─ 0 2 ─┼─ …
//!           … ─ next offset 8 ─┼─ last LSN 8 ─┼─ forgotten 8 ─┼─ sessions 8 ─┤ (64)
//!           then per session, by number
//!           ├─ session 8 ─┼─ stored 8 ─┼─ epoch 2 ─┼─ batches 2 ─┼─ 0 4 ─┤ (24)
//!             then per batch, the oldest first
//!             ├─ base sequence 4 ─┼─ records 4 ─┼─ base offset 8 ─┤ (16)
//! ```
//!
//! Little-endian; the CRC-32C covers the store id and everything after itself.
//! *Forgotten* is the greatest session that was forgotten, -1 if none was; *epoch*
//! the greatest one that any of the forgotten wrote in, else 0. The table is as of the end of the segment, which next offset and last LSN say again:
//! a file that was left by another segment of the same name does not count. A file
//! that is missing or damaged is made up for by walking segments. A segment whose
//! `.offsets` has no flag of it has none: the table was empty. Version history: 1,
//! the first.

use super::session::{BATCHES_KEPT, Recent, Session, Stored};
use super::{Forgotten, SESSIONS_MAX, Seat, SessionTable};
use crate::LogError;
use crate::error::io_error;
use crate::keyed_crc::keyed_crc;
use pyralog_env::Disk;
use pyralog_model::{Lsn, Offset, PartitionId, StoreId};
use std::path::Path;

/// What the files are called after the dot.
pub(crate) const SNAPSHOT_EXTENSION: &str = "sessions";

pub(crate) const MAGIC: [u8; 8] = *b"PYRASESS";
pub(crate) const VERSION: u16 = 1;
pub(crate) const HEADER_BYTES: usize = 64;
pub(crate) const SESSION_BYTES: usize = 24;
pub(crate) const BATCH_BYTES: usize = 16;
/// The longest file there can be.
pub(crate) const FILE_BYTES_MAX: usize =
    HEADER_BYTES + SESSIONS_MAX * (SESSION_BYTES + BATCHES_KEPT * BATCH_BYTES);

/// The end of the segment that a snapshot belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedAt {
    pub(crate) store: StoreId,
    pub(crate) partition: PartitionId,
    pub(crate) next_offset: Offset,
    pub(crate) last_lsn: Lsn,
}

/// Writes and syncs the snapshot. The caller syncs the directory.
pub(crate) fn write_file(
    disk: &dyn Disk,
    path: &Path,
    table: &SessionTable,
    at: &SealedAt,
) -> Result<(), LogError> {
    if disk.exists(path).map_err(io_error("cannot look at", path))? {
        disk.remove_file(path).map_err(io_error("cannot remove", path))?;
    }
    let file = disk.create(path).map_err(io_error("cannot create", path))?;
    file.write_all_at(&encode(table, at), 0).map_err(io_error("cannot write", path))?;
    file.sync_all().map_err(io_error("cannot sync", path))
}

/// The table in a snapshot; none if the file is absent, damaged, or another's.
pub(crate) fn read_file(
    disk: &dyn Disk,
    path: &Path,
    at: &SealedAt,
) -> Result<Option<SessionTable>, LogError> {
    if !disk.exists(path).map_err(io_error("cannot look at", path))? {
        return Ok(None);
    }
    let file = disk.open(path).map_err(io_error("cannot open", path))?;
    let len = file.len().map_err(io_error("cannot measure", path))?;
    if len > FILE_BYTES_MAX as u64 {
        return Ok(None);
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, 0).map_err(io_error("cannot read", path))?;
    Ok(decode(&bytes, at))
}

pub(super) fn encode(table: &SessionTable, at: &SealedAt) -> Vec<u8> {
    let batches: usize = table.seats.values().map(|s| s.session.recent.as_slice().len()).sum();
    let len = HEADER_BYTES + table.len() * SESSION_BYTES + batches * BATCH_BYTES;
    let mut bytes = Vec::with_capacity(len);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&at.partition.log.0.to_le_bytes());
    bytes.extend_from_slice(&at.partition.partition.0.to_le_bytes());
    bytes.extend_from_slice(&table.forgotten.epoch.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&at.next_offset.0.to_le_bytes());
    bytes.extend_from_slice(&at.last_lsn.0.to_le_bytes());
    bytes.extend_from_slice(&table.forgotten.session.to_le_bytes());
    bytes.extend_from_slice(&(table.len() as u64).to_le_bytes());
    debug_assert_eq!(bytes.len(), HEADER_BYTES);
    let mut sessions: Vec<(i64, &Session)> =
        table.seats.iter().map(|(&id, seat)| (id, &seat.session)).collect();
    sessions.sort_unstable_by_key(|(id, _)| *id);
    sessions.iter().for_each(|(id, session)| encode_session(*id, session, &mut bytes));
    let crc = keyed_crc(at.store, &[&bytes[12..]]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn encode_session(id: i64, session: &Session, bytes: &mut Vec<u8>) {
    let batches = session.recent.as_slice();
    bytes.extend_from_slice(&id.to_le_bytes());
    bytes.extend_from_slice(&session.stored.to_le_bytes());
    bytes.extend_from_slice(&session.epoch.to_le_bytes());
    bytes.extend_from_slice(&(batches.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    for batch in batches {
        bytes.extend_from_slice(&batch.base_sequence.to_le_bytes());
        bytes.extend_from_slice(&batch.records.to_le_bytes());
        bytes.extend_from_slice(&batch.base_offset.0.to_le_bytes());
    }
}

pub(crate) fn decode(bytes: &[u8], at: &SealedAt) -> Option<SessionTable> {
    let (header, mut body) = bytes.split_at_checked(HEADER_BYTES)?;
    let crc = u32::from_le_bytes(take(header, 8));
    let fits = header[0..8] == MAGIC
        && header[12..14] == VERSION.to_le_bytes()
        && keyed_crc(at.store, &[&bytes[12..]]) == crc
        && u64::from_le_bytes(take(header, 16)) == at.partition.log.0
        && u32::from_le_bytes(take(header, 24)) == at.partition.partition.0
        && u64::from_le_bytes(take(header, 32)) == at.next_offset.0
        && u64::from_le_bytes(take(header, 40)) == at.last_lsn.0;
    if !fits {
        return None;
    }
    let (session, epoch) =
        (i64::from_le_bytes(take(header, 48)), i16::from_le_bytes(take(header, 28)));
    if session < -1 || epoch < 0 {
        return None;
    }
    let forgotten = Forgotten { session, epoch };
    let mut table = SessionTable { forgotten, ..SessionTable::default() };
    let count = usize::try_from(u64::from_le_bytes(take(header, 56))).ok()?;
    if count > SESSIONS_MAX || count > body.len() / (SESSION_BYTES + BATCH_BYTES) {
        return None;
    }
    table.seats.reserve(count);
    let mut last = -1;
    for _ in 0..count {
        let (id, session) = decode_session(&mut body)?;
        if id <= last {
            return None;
        }
        last = id;
        table.seats.insert(id, Seat { session, idle_since: None });
    }
    body.is_empty().then_some(table)
}

fn decode_session(body: &mut &[u8]) -> Option<(i64, Session)> {
    let (head, rest) = body.split_at_checked(SESSION_BYTES)?;
    let batches = usize::from(u16::from_le_bytes(take(head, 18)));
    if !(1..=BATCHES_KEPT).contains(&batches) {
        return None;
    }
    let (batches, rest) = rest.split_at_checked(batches * BATCH_BYTES)?;
    *body = rest;
    let mut stored = batches.chunks_exact(BATCH_BYTES).map(decode_batch);
    let mut recent = Recent::new(stored.next()??);
    for batch in stored {
        recent.push(batch?);
    }
    let epoch = i16::from_le_bytes(take(head, 16));
    let stored = u64::from_le_bytes(take(head, 8));
    Some((i64::from_le_bytes(take(head, 0)), Session { epoch, stored, recent }))
}

fn decode_batch(bytes: &[u8]) -> Option<Stored> {
    let base_sequence = i32::from_le_bytes(take(bytes, 0));
    let records = u32::from_le_bytes(take(bytes, 4));
    let base_offset = Offset(u64::from_le_bytes(take(bytes, 8)));
    let plausible = base_sequence >= 0 && (1..1 << 31).contains(&records);
    plausible.then_some(Stored { base_sequence, records, base_offset })
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}
