//! Writing a partition's segments: rolling, syncing, cutting back.
//!
//! The order that makes a power cut harmless: a full segment is synced before its
//! successor is made; a new segment's header and name are synced before its first
//! frame; so only the last segment can ever be torn. A cut-back removes later
//! segments last to first, each removal synced, before it shortens the one that
//! stays; so no hole can appear, and nothing new is written until it is done.
//!
//! The first failure is final for this partition, whoever meets it: the committer
//! and the segment writer both come here, and a second sync would say `Ok` for
//! bytes that the first has lost.

mod behind;
mod cutting;
mod removal;
mod rolling;

pub(crate) use removal::{remove_before, remove_segment_files};

use crate::checkpoint::PartitionCheckpoint;
use crate::durable::SyncProof;
use crate::error::is_disk_full;
use crate::mutation::{Mutation, Planted};
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::{Frame, LogError, SessionTable};
use pyralog_model::{Epoch, Lsn, Offset};
use std::io;
use std::sync::Arc;

/// Unsynced bytes at which the tail's writer syncs of its own accord: much dirty
/// data in one file would hold up the committer's small syncs of another.
const PACE_BYTES: u64 = 4 << 20;

/// Bytes of tail that are gathered into one write.
const GATHER_BYTES: usize = 1 << 20;

/// The writing end of a partition's segments.
#[derive(Debug, Default)]
pub(crate) struct Appender {
    pub(crate) active: Option<Arc<Segment>>,
    /// Where the next frame goes in the active segment.
    pub(crate) position: u64,
    /// Bytes of the active segment that are synced.
    pub(crate) synced: u64,
    /// The last frame that was written or undone.
    pub(crate) lsn: Lsn,
    pub(crate) epoch: Epoch,
    /// The offset after the last record in segments.
    pub(crate) end: Offset,
    /// The fold over everything before `end`, for the snapshots.
    pub(crate) sessions: SessionTable,
    pub(crate) planted: Planted,
    /// The last cut-back, while older frames than it are still in the tail.
    pending_cut: Option<(Lsn, Epoch)>,
    /// The first failure.
    failed: Option<String>,
    gate: behind::SyncGate,
    buffer: Vec<u8>,
}

impl Appender {
    /// Writes what the tail holds at this moment into segments, unsynced, and
    /// takes it out of the tail. Frames that are published meanwhile wait for the
    /// next time: a busy partition must not keep its writer for ever.
    pub(crate) fn write_tail(&mut self, log: &PartitionLog) -> Result<(), LogError> {
        let written = self.try_write_tail(log);
        self.latch(written)
    }

    fn try_write_tail(&mut self, log: &PartitionLog) -> Result<(), LogError> {
        let Some(last) = log.view(|view| view.tail.back().map(|frame| frame.header.lsn)) else {
            return Ok(());
        };
        loop {
            let frames = self.next_of_tail(log, last);
            if frames.is_empty() {
                self.settle_cut();
                return Ok(());
            }
            self.roll_if_full(log, frames[0].header.frame_bytes())?;
            self.write(log, &frames)?;
            self.publish(&frames);
            log.change_view(|view| view.pop_tail(frames.len()));
            if self.position - self.synced >= PACE_BYTES {
                self.sync()?;
            }
        }
    }

    /// Writes the tail and then `frames`, and syncs. Frames are shown to readers
    /// only afterwards.
    pub(crate) fn write_durably(
        &mut self,
        log: &PartitionLog,
        frames: Vec<Frame>,
    ) -> Result<SyncProof, LogError> {
        let written = self.try_write_durably(log, frames);
        self.latch(written)
    }

    fn try_write_durably(
        &mut self,
        log: &PartitionLog,
        mut frames: Vec<Frame>,
    ) -> Result<SyncProof, LogError> {
        self.try_write_tail(log)?;
        let bytes: usize = frames.iter().map(|frame| frame.header.frame_bytes()).sum();
        self.roll_if_full(log, bytes)?;
        for frame in &mut frames {
            frame.header.synced_before = self.synced;
        }
        self.write(log, &frames)?;
        let proof = self.sync()?;
        self.publish(&frames);
        log.change_view(|view| frames.iter().for_each(|frame| view.advance(frame)));
        Ok(proof)
    }

    /// Makes everything written so far durable.
    pub(crate) fn sync(&mut self) -> Result<SyncProof, LogError> {
        self.check_sound()?;
        let Some(active) = self.active.clone() else {
            // Nothing was ever written: there is nothing that could be lost.
            return Ok(SyncProof::from_sync(Ok(())).expect("Ok was given"));
        };
        let synced = self.gate.pass(|| sync_file(self.planted, &active));
        let proof = self.latch(SyncProof::from_sync(synced).map_err(|error| LogError::Failed {
            cause: format!("cannot sync {}: {error}", active.path.display()),
        }))?;
        self.synced = self.position;
        Ok(proof)
    }

    /// What recovery may take for granted once this is saved. Call after `sync`.
    pub(crate) fn checkpoint(&self, log: &PartitionLog) -> PartitionCheckpoint {
        assert_eq!(self.synced, self.position, "a checkpoint follows a sync");
        self.as_written(log)
    }

    /// The checkpoint that may be saved once what is written by now is synced.
    fn as_written(&self, log: &PartitionLog) -> PartitionCheckpoint {
        PartitionCheckpoint {
            segment_base: self.active.as_ref().map_or(self.end, |segment| segment.base()),
            segment_position: self.position,
            next_offset: self.end,
            lsn: self.lsn,
            log_start: log.bounds().0,
            epoch: self.epoch,
        }
    }

    fn check_sound(&self) -> Result<(), LogError> {
        match &self.failed {
            Some(cause) => Err(LogError::Failed { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    /// Remembers a failure; only a full disk passes.
    fn latch<T>(&mut self, done: Result<T, LogError>) -> Result<T, LogError> {
        if let Err(error) = &done
            && !matches!(error, LogError::DiskFull { .. })
        {
            self.failed.get_or_insert_with(|| error.to_string());
        }
        done
    }

    fn next_of_tail(&self, log: &PartitionLog, last: Lsn) -> Vec<Frame> {
        let limit = log.segment_bytes();
        log.view(|view| {
            let (mut bytes, mut position) = (0, self.position);
            let fits = |frame: &&Frame| {
                if frame.header.lsn > last {
                    return false;
                }
                let size = frame.header.frame_bytes();
                let first = bytes == 0;
                let room = bytes + size <= GATHER_BYTES && position + size as u64 <= limit;
                bytes += size;
                position += size as u64;
                first || room
            };
            view.tail.iter().take_while(fits).cloned().collect()
        })
    }

    /// Writes frames behind the last one. On "no room" nothing of them stays.
    fn write(&mut self, log: &PartitionLog, frames: &[Frame]) -> Result<(), LogError> {
        self.check_sound()?;
        let active = Arc::clone(self.active.as_ref().expect("roll_if_full makes one"));
        self.buffer.clear();
        for frame in frames {
            frame.encode_into(log.store, &mut self.buffer);
        }
        match active.file.write_all_at(&self.buffer, self.position) {
            Ok(()) => {}
            Err(error) if is_disk_full(&error) => {
                self.undo_partial_write(&active)?;
                return Err(LogError::DiskFull { what: active.path.display().to_string() });
            }
            Err(error) => {
                let cause = format!("cannot write {}: {error}", active.path.display());
                return Err(LogError::Failed { cause });
            }
        }
        self.position += self.buffer.len() as u64;
        // A bulk write must not pin its memory for ever.
        if self.buffer.capacity() > 2 * GATHER_BYTES {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Frames that were never acknowledged must not come back after a restart.
    fn undo_partial_write(&self, active: &Segment) -> Result<(), LogError> {
        let cut = active.file.set_len(self.position).and_then(|()| active.file.sync_all());
        cut.map_err(|error| LogError::Failed {
            cause: format!("cannot undo a partial write to {}: {error}", active.path.display()),
        })
    }

    fn publish(&mut self, frames: &[Frame]) {
        let Some(active) = &self.active else { return };
        active.with_extent(|extent| {
            for frame in frames {
                extent.extend(&frame.header, frame.max_timestamp);
            }
            assert_eq!(extent.bytes, self.position, "readers see what was written");
        });
        for batch in frames.iter().filter_map(Frame::session_batch) {
            self.sessions.fold(&batch);
        }
        if let Some(last) = frames.last() {
            self.lsn = last.header.lsn;
            self.epoch = self.epoch.max(last.header.epoch);
            self.end = last.header.next_offset();
        }
    }
}

fn sync_file(planted: Planted, active: &Segment) -> io::Result<()> {
    if planted.is(Mutation::AckBeforeSync) {
        return Ok(());
    }
    let synced = active.file.sync_data();
    if synced.is_err() && planted.is(Mutation::RetryAfterFailedSync) {
        return active.file.sync_data();
    }
    synced
}
