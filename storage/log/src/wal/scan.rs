//! Reading the WAL back: first where the rounds are, then the frames of each.

use super::{PAGE_BYTES, ROUND_HEADER_BYTES, ROUND_MAGIC, VERSION, padded};
use crate::LogError;
use crate::error::io_error;
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameHeader};
use crate::keyed_crc::keyed_crc;
use bytes::Bytes;
use pyralog_env::DiskFile;
use pyralog_model::{Lsn, StoreId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a round with an intact header lies. Its body is not read yet.
#[derive(Debug, Clone)]
pub(crate) struct RoundPlace {
    pub(crate) round: u64,
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) position: u64,
    body_bytes: usize,
    frames: usize,
}

/// Finds every intact round header in a file, of this use or an earlier one.
pub(crate) fn scan_file(
    file: &Arc<dyn DiskFile>,
    path: &Path,
    store: StoreId,
    rounds: &mut Vec<RoundPlace>,
) -> Result<(), LogError> {
    const CHUNK_BYTES: usize = 1 << 20;
    let len = file.len().map_err(io_error("cannot measure", path))?;
    let mut chunk = vec![0; CHUNK_BYTES.min(len as usize)];
    let (mut chunk_begin, mut chunk_end) = (0, 0);
    let mut position = PAGE_BYTES as u64;
    while position + ROUND_HEADER_BYTES as u64 <= len {
        if position < chunk_begin || position + ROUND_HEADER_BYTES as u64 > chunk_end {
            let read = file.read_at(&mut chunk, position).map_err(io_error("cannot read", path))?;
            (chunk_begin, chunk_end) = (position, position + read as u64);
            if read < ROUND_HEADER_BYTES {
                break;
            }
        }
        let at = (position - chunk_begin) as usize;
        let header = RoundHeader::decode(store, &chunk[at..at + ROUND_HEADER_BYTES]);
        let fits = header.filter(|h| position + padded(h.body_bytes) as u64 <= len);
        position += match fits {
            Some(header) => {
                rounds.push(RoundPlace {
                    round: header.round,
                    path: path.to_owned(),
                    file: Arc::clone(file),
                    position,
                    body_bytes: header.body_bytes,
                    frames: header.frames,
                });
                padded(header.body_bytes) as u64
            }
            None => PAGE_BYTES as u64,
        };
    }
    Ok(())
}

/// The frames of a round, or `None` if any byte of it is not as written.
/// `accept_torn` is the planted bug that believes a batch without its checksum.
pub(crate) fn read_round(
    place: &RoundPlace,
    store: StoreId,
    accept_torn: bool,
) -> Result<Option<Vec<Frame>>, LogError> {
    let mut body = vec![0; place.body_bytes];
    place
        .file
        .read_exact_at(&mut body, place.position + ROUND_HEADER_BYTES as u64)
        .map_err(io_error("cannot read", &place.path))?;
    let mut body = Bytes::from(body);
    let mut frames = Vec::new();
    while !body.is_empty() {
        let Some(header) = FrameHeader::decode(store, &body) else { return Ok(None) };
        if header.frame_bytes() > body.len() {
            return Ok(None);
        }
        let frame = body.split_to(header.frame_bytes());
        let batch = frame.slice(FRAME_HEADER_BYTES..);
        if !batch.is_empty() && !header.batch_is_intact(&batch) && !accept_torn {
            return Ok(None);
        }
        frames.push(Frame::recovered(header, batch));
    }
    Ok((frames.len() == place.frames).then_some(frames))
}

/// The fixed part of a round, decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoundHeader {
    pub(crate) round: u64,
    pub(crate) body_bytes: usize,
    pub(crate) frames: usize,
    pub(crate) first_lsn: Lsn,
}

impl RoundHeader {
    /// Reads the `ROUND_HEADER_BYTES` of `bytes`; none if they are not a round of
    /// this store, or damaged.
    pub(crate) fn decode(store: StoreId, bytes: &[u8]) -> Option<RoundHeader> {
        let four = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let eight = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let intact = bytes[0..8] == ROUND_MAGIC
            && bytes[12..14] == VERSION.to_le_bytes()
            && four(8) == keyed_crc(store, &[&bytes[12..ROUND_HEADER_BYTES]]);
        intact.then(|| RoundHeader {
            round: eight(24),
            body_bytes: four(16) as usize,
            frames: four(20) as usize,
            first_lsn: Lsn(eight(32)),
        })
    }
}
