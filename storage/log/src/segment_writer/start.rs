//! Moving the start of a partition: durable first, then shown, then files go.
//!
//! A crash between the checkpoint and the removal leaves files that recovery
//! removes; a crash before it leaves everything as it was.

use super::SegmentWriter;
use crate::appender::{Appender, remove_before};
use crate::checkpoint::PartitionCheckpoint;
use crate::mutation::Mutation;
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::{Expiry, LogError};
use pyralog_model::{Durability, Offset};
use std::sync::Arc;

impl SegmentWriter {
    /// Lets the partition begin at `start`, which may lie in the middle of a batch,
    /// and says where it begins now: there, or later if it did before. Segments that
    /// end there or before are removed; the last one is not.
    ///
    /// # Errors
    /// `OutOfRange` past the end, `NotOpen` if the log was deleted, `DiskFull`: then
    /// nothing has changed. Any other error is final.
    pub fn move_start(&mut self, log: &PartitionLog, start: Offset) -> Result<Offset, LogError> {
        self.check_sound()?;
        let moved = self.try_move_start(log, start);
        self.judged(moved)
    }

    /// Lets go of what retention does not keep, and says where the partition begins
    /// now.
    ///
    /// # Errors
    /// As `move_start`.
    pub fn expire(&mut self, log: &PartitionLog, expiry: Expiry) -> Result<Offset, LogError> {
        if expiry.seal {
            self.seal(log)?;
        }
        self.move_start(log, expiry.start)
    }

    /// Seals the segment that holds the end, if there is anything in it or in the
    /// tail: so that it may be removed or compacted.
    ///
    /// # Errors
    /// `NotOpen` if the log was deleted, `DiskFull`: then it goes on growing. Any other
    /// error is final.
    pub fn seal(&mut self, log: &PartitionLog) -> Result<(), LogError> {
        self.check_sound()?;
        let sealed = match log.is_gone() {
            Ok(true) => Err(LogError::NotOpen(log.id())),
            Ok(false) => seal(log),
            Err(error) => Err(error),
        };
        self.judged(sealed)
    }

    fn try_move_start(&mut self, log: &PartitionLog, to: Offset) -> Result<Offset, LogError> {
        if log.is_gone()? {
            return Err(LogError::NotOpen(log.id()));
        }
        if log.durability() == Durability::Memory {
            return log.drop_before(to);
        }
        // Appends to a log of `page-cache` do not wait for what follows.
        let mut held = (log.durability() == Durability::Fsync).then(|| log.lock_appender());
        let (start, end) = log.bounds();
        if to > end {
            return Err(LogError::OutOfRange { from: to, start, end });
        }
        if to <= start {
            return Ok(start);
        }
        let checkpoint = match &mut held {
            Some(appender) => synced(log, appender, to)?,
            None => log.sync_behind()?,
        };
        let gone = log.segments_before(to);
        log.keep_sessions_of(&gone)?;
        if self.planted.is(Mutation::RemoveBeforeStartSaved) {
            self.remove(log, &gone)?;
        }
        let checkpoint = PartitionCheckpoint { log_start: to, ..checkpoint };
        if !self.planted.is(Mutation::StartNotSaved) {
            self.checkpoints.save_start(log.id(), &checkpoint, self.wal)?;
        }
        log.begin_at(to, gone.last().map(|last| last.extent(|extent| extent.end)));
        self.remove(log, &gone)?;
        Ok(to)
    }

    fn remove(&self, log: &PartitionLog, gone: &[Arc<Segment>]) -> Result<(), LogError> {
        let Some(last) = gone.last() else { return Ok(()) };
        let first = last.extent(|extent| extent.end);
        let is_gone = |name| gone.iter().any(|segment| segment.name == name);
        remove_before(&*self.disk, &log.dir, first, Some(last.name), is_gone)
    }
}

/// Makes segments durable up to `to` at least.
fn synced(
    log: &PartitionLog,
    appender: &mut Appender,
    to: Offset,
) -> Result<PartitionCheckpoint, LogError> {
    // A full disk takes no tail, and wants the room that this makes.
    if to > appender.end {
        appender.write_tail(log)?;
    }
    appender.sync()?;
    Ok(appender.checkpoint(log))
}

fn seal(log: &PartitionLog) -> Result<(), LogError> {
    match log.durability() {
        Durability::Fsync => {}
        // Most of it without the lock, for which appends wait.
        Durability::PageCache => {
            log.sync_behind()?;
        }
        Durability::Memory => return Ok(()),
    }
    log.lock_appender().seal(log)
}
