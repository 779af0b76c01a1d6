//! Moving the start of a partition: durable first, then shown, then files go.
//!
//! A crash between the checkpoint and the removal leaves files that recovery
//! removes; a crash before it leaves everything as it was.

use super::SegmentWriter;
use crate::LogError;
use crate::appender::remove_before;
use crate::checkpoint::PartitionCheckpoint;
use crate::mutation::Mutation;
use crate::partition_log::PartitionLog;
use pyralog_model::Offset;

impl SegmentWriter {
    /// Lets the partition begin at `start`, which may lie in the middle of a batch,
    /// and says where it begins now: there, or later if it did before. Segments that
    /// end there or before are removed; the last one is not.
    ///
    /// # Errors
    /// `OutOfRange` past the end, `NotOpen` if the log was deleted, `DiskFull`: then
    /// nothing has changed. Any other error is final.
    pub fn move_start(&mut self, log: &PartitionLog, start: Offset) -> Result<Offset, LogError> {
        if let Some(cause) = &self.failed {
            return Err(LogError::Failed { cause: cause.clone() });
        }
        self.try_move_start(log, start).map_err(|error| match error {
            LogError::DiskFull { .. } | LogError::OutOfRange { .. } | LogError::NotOpen(_) => error,
            error => {
                let cause = error.to_string();
                self.fail(cause.clone());
                LogError::Failed { cause }
            }
        })
    }

    fn try_move_start(&mut self, log: &PartitionLog, to: Offset) -> Result<Offset, LogError> {
        if log.is_gone()? {
            return Err(LogError::NotOpen(log.id()));
        }
        let mut appender = log.lock_appender();
        let (start, end) = log.bounds();
        if to > end {
            return Err(LogError::OutOfRange { from: to, start, end });
        }
        if to <= start {
            return Ok(start);
        }
        // A full disk takes no tail, and wants the room that this makes.
        if to > appender.end {
            appender.write_tail(log)?;
        }
        appender.sync()?;
        let gone = log.segments_before(to);
        log.keep_sessions_of(&gone)?;
        let first = gone.last().map(|last| last.extent(|extent| extent.end));
        if self.planted.is(Mutation::RemoveBeforeStartSaved) {
            self.remove(log, first)?;
        }
        let checkpoint = PartitionCheckpoint { log_start: to, ..appender.checkpoint(log) };
        if !self.planted.is(Mutation::StartNotSaved) {
            self.checkpoints.save(&[(log.id(), checkpoint)], self.wal)?;
        }
        log.begin_at(to, first);
        self.remove(log, first)?;
        Ok(to)
    }

    fn remove(&self, log: &PartitionLog, first: Option<Offset>) -> Result<(), LogError> {
        match first {
            Some(first) => remove_before(&*self.disk, &log.dir, first),
            None => Ok(()),
        }
    }
}
