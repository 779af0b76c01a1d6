//! Walking a segment after a crash: how far is it whole, and is what follows a
//! torn tail, which was never acknowledged, or a corrupt middle, which was?

use super::cursor::FrameCursor;
use super::{Extent, SEGMENT_HEADER_BYTES, Segment};
use crate::error::io_error;
use crate::frame::FRAME_HEADER_BYTES;
use crate::{FrameHeader, LogError, SessionTable};
use pyralog_env::DiskFile;
use pyralog_model::{Epoch, Lsn, Offset, PartitionId, StoreId};
use std::path::Path;

/// What to scan and what is already known.
pub(crate) struct ScanRequest<'a> {
    pub(crate) file: &'a dyn DiskFile,
    pub(crate) path: &'a Path,
    pub(crate) store: StoreId,
    pub(crate) partition: PartitionId,
    pub(crate) base: Offset,
    /// Where it ends, if it was rewritten: then offsets before that may be missing.
    pub(crate) rewritten_to: Option<Offset>,
    /// Bytes that are known to be synced: damage before this is corruption.
    pub(crate) synced: u64,
    /// Frames up to this one may be the rests of a truncation.
    pub(crate) truncated_at: Lsn,
    /// The planted bug: believe batches without their checksums.
    pub(crate) accept_torn: bool,
}

/// The whole part of a segment.
pub(crate) struct Scanned {
    pub(crate) extent: Extent,
    pub(crate) last_lsn: Lsn,
    pub(crate) last_epoch: Epoch,
    /// What the frames say of how far the file was synced when they were written.
    pub(crate) synced_before: u64,
    /// True if bytes follow the whole part; they are to be cut off.
    pub(crate) torn: bool,
}

/// Finds the whole part of a segment, and folds its sessions into the table.
/// Batches before `synced` were verified when they were written and are on every
/// read: here only their frames are walked.
pub(crate) fn scan(
    request: &ScanRequest,
    sessions: &mut SessionTable,
) -> Result<Scanned, LogError> {
    let len = request.file.len().map_err(io_error("cannot measure", request.path))?;
    let mut cursor = FrameCursor::new(request.file, request.path, request.store, len, 256 << 10);
    let mut scanned = Scanned {
        extent: Segment::empty_extent(request.base),
        last_lsn: Lsn::default(),
        last_epoch: Epoch::default(),
        synced_before: 0,
        torn: false,
    };
    while let Some(header) = next_frame(request, &mut cursor, &scanned)? {
        let position = scanned.extent.bytes;
        let time = cursor.max_timestamp_at(position)?;
        if let Some(batch) = cursor.session_batch_at(position, &header)? {
            sessions.fold(&batch);
        }
        scanned.extent.extend(&header, time);
        scanned.last_lsn = header.lsn;
        scanned.last_epoch = header.epoch;
        scanned.synced_before = scanned.synced_before.max(header.synced_before);
    }
    let end = scanned.extent.bytes;
    if end < request.synced {
        return Err(corrupt(request, end, "a synced frame is damaged"));
    }
    scanned.torn = end < len;
    if scanned.torn && synced_frame_follows(request, &scanned, len)? {
        return Err(corrupt(request, end, "a frame is damaged and a later synced one is whole"));
    }
    Ok(scanned)
}

/// The frame at the end of the whole part, if it continues it.
fn next_frame(
    request: &ScanRequest,
    cursor: &mut FrameCursor,
    scanned: &Scanned,
) -> Result<Option<FrameHeader>, LogError> {
    let position = scanned.extent.bytes;
    let Some(header) = cursor.header_at(position)? else { return Ok(None) };
    let follows = match request.rewritten_to {
        None => header.base_offset == scanned.extent.end,
        Some(end) => header.base_offset >= scanned.extent.end && header.next_offset() <= end,
    };
    let continues = header.partition == request.partition
        && follows
        && header.epoch >= scanned.last_epoch
        // An older frame behind a younger one is the rest of a truncation.
        && header.lsn > scanned.last_lsn;
    if !continues {
        return Ok(None);
    }
    if position >= request.synced && !request.accept_torn {
        let begin = position + FRAME_HEADER_BYTES as u64;
        let batch = cursor.bytes_at(begin, header.batch_bytes as usize)?;
        if !header.batch_is_intact(&batch) {
            return Ok(None);
        }
    }
    Ok(Some(header))
}

/// Looks past the damage for a whole frame that was written after everything
/// before it, the damage included, had been synced.
fn synced_frame_follows(
    request: &ScanRequest,
    scanned: &Scanned,
    len: u64,
) -> Result<bool, LogError> {
    const CHUNK_BYTES: u64 = 1 << 20;
    let damage = scanned.extent.bytes;
    let floor = scanned.last_lsn.max(request.truncated_at);
    let mut cursor =
        FrameCursor::new(request.file, request.path, request.store, len, CHUNK_BYTES as usize);
    let mut chunk_begin = damage;
    while chunk_begin + FRAME_HEADER_BYTES as u64 <= len {
        let chunk_len = CHUNK_BYTES.min(len - chunk_begin);
        let chunk = cursor.bytes_at(chunk_begin, chunk_len as usize)?;
        for at in magic_positions(&chunk) {
            let position = chunk_begin + at as u64;
            let Some(header) = cursor.header_at(position)? else { continue };
            let tells = header.partition == request.partition
                && header.lsn > floor
                && header.synced_before > damage;
            let begin = position + FRAME_HEADER_BYTES as u64;
            if tells
                && header.batch_is_intact(&cursor.bytes_at(begin, header.batch_bytes as usize)?)
            {
                return Ok(true);
            }
        }
        // Overlap by three bytes: a magic number may lie across two chunks.
        chunk_begin += chunk_len.saturating_sub(3).max(1);
    }
    Ok(false)
}

fn magic_positions(chunk: &[u8]) -> impl Iterator<Item = usize> + '_ {
    chunk.windows(4).enumerate().filter(|(_, window)| *window == b"PFRM").map(|(at, _)| at)
}

fn corrupt(request: &ScanRequest, position: u64, what: &str) -> LogError {
    debug_assert!(position >= SEGMENT_HEADER_BYTES as u64);
    LogError::Corrupt { path: request.path.to_owned(), position, what: what.to_owned() }
}
