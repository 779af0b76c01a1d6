//! Writing for logs of `page-cache`: what is written is acknowledged, and synced
//! behind that, while more is written.
//!
//! ```text
//!   written, acknowledged   ├────────────────────┬──────────┤──▶
//!   known to be synced      ├──────────┤         │
//!   being synced                       ├─────────┤
//! ```
//!
//! A frame says how far the file was synced when it was written, so a start can tell a
//! tail that a power cut has torn, which is cut off, from damage before it. A segment is
//! synced before its successor is made, here as everywhere: so only the last one can be
//! torn, and what is left of a log is always one piece from its beginning.

use super::Appender;
use crate::checkpoint::PartitionCheckpoint;
use crate::durable::SyncProof;
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::{Frame, LogError};
use pyralog_model::Lsn;
use std::io;
use std::sync::{Arc, Mutex};

/// One sync at a time of what a partition writes. The first that fails is the last: of
/// two that run side by side the kernel would tell only one of the failure.
#[derive(Debug, Clone, Default)]
pub(super) struct SyncGate(Arc<Mutex<Option<String>>>);

impl SyncGate {
    pub(super) fn pass(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut failed = self.0.lock().expect("no one panics in a sync");
        if let Some(cause) = &*failed {
            return Err(io::Error::other(format!("a sync failed before: {cause}")));
        }
        sync().inspect_err(|error| *failed = Some(error.to_string()))
    }
}

impl Appender {
    /// Writes appends into segments, unsynced, and shows them to readers; numbers
    /// their frames as well. On an error nothing of the append that met it is stored;
    /// those before it are, and the first result is how many.
    pub(crate) fn write_through(
        &mut self,
        log: &PartitionLog,
        appends: Vec<Vec<Frame>>,
    ) -> (usize, Result<(), LogError>) {
        let (mut stored, mut appends) = (0, appends.into_iter().peekable());
        while let Some(mut frames) = appends.next() {
            let mut count = 1;
            let mut bytes = bytes_of(&frames);
            while let Some(next) = appends.next_if(|next| self.takes(log, bytes + bytes_of(next))) {
                bytes += bytes_of(&next);
                frames.extend(next);
                count += 1;
            }
            let written = self.try_write_through(log, frames, bytes);
            if let Err(error) = self.latch(written) {
                return (stored, Err(error));
            }
            stored += count;
        }
        (stored, Ok(()))
    }

    /// True if so many bytes are written at once.
    fn takes(&self, log: &PartitionLog, bytes: usize) -> bool {
        bytes <= super::GATHER_BYTES && self.position + bytes as u64 <= log.segment_bytes()
    }

    fn try_write_through(
        &mut self,
        log: &PartitionLog,
        mut frames: Vec<Frame>,
        bytes: usize,
    ) -> Result<(), LogError> {
        self.roll_if_full(log, bytes)?;
        let mut lsn = self.lsn;
        for frame in &mut frames {
            lsn = lsn.next();
            frame.header.lsn = lsn;
            frame.header.synced_before = self.synced;
        }
        self.write(log, &frames)?;
        self.publish(&frames);
        log.change_view(|view| frames.iter().for_each(|frame| view.advance(frame)));
        Ok(())
    }

    /// The number of the next frame, as long as the partition numbers its own.
    pub(crate) fn next_lsn(&self) -> Lsn {
        self.lsn.next()
    }
}

impl PartitionLog {
    /// Syncs what is written by now, while others go on writing, and says what a start
    /// may take for granted then.
    pub(crate) fn sync_behind(&self) -> Result<PartitionCheckpoint, LogError> {
        let (active, gate, planted, written) = {
            let appender = self.lock_appender();
            appender.check_sound()?;
            let active = appender.active.clone();
            (active, appender.gate.clone(), appender.planted, appender.as_written(self))
        };
        let Some(active) = active else { return Ok(written) };
        if planted.is(crate::Mutation::CheckpointUnsynced) {
            return Ok(written);
        }
        let synced = gate.pass(|| super::sync_file(planted, &active));
        let mut appender = self.lock_appender();
        let proof = appender.latch(SyncProof::from_sync(synced).map_err(|error| {
            let path = active.path.display();
            LogError::Failed { cause: format!("cannot sync {path}: {error}") }
        }))?;
        appender.note_synced(&active, written.segment_position, proof);
        Ok(written)
    }
}

impl Appender {
    fn note_synced(&mut self, segment: &Arc<Segment>, position: u64, _: SyncProof) {
        // It may be sealed meanwhile; then all of it is synced.
        if self.active.as_ref().is_some_and(|active| Arc::ptr_eq(active, segment)) {
            self.synced = self.synced.max(position);
        }
    }
}

fn bytes_of(frames: &[Frame]) -> usize {
    frames.iter().map(|frame| frame.header.frame_bytes()).sum()
}
