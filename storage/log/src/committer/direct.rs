//! The bulk path: a large round of one partition goes straight into its segment,
//! so that bulk is written once instead of twice.
//!
//! It is taken when the whole round belongs to one partition and is large enough
//! that the extra cost of syncing a growing file no longer matters.

use super::{Committer, Round};
use crate::appender::Appender;
use crate::durable::SyncProof;
use crate::partition_log::PartitionLog;
use crate::segment_writer::WriterTask;
use crate::{Frame, LogError};
use std::sync::{Arc, MutexGuard};

impl Committer {
    /// The partition whose segment should take this round, if it should and
    /// nobody is writing there.
    pub(super) fn direct_target(&self, round: &Round) -> Option<Arc<PartitionLog>> {
        let partition = round.frames.first()?.header.partition;
        if round.bytes < self.options.direct_bytes_min {
            return None;
        }
        let alone = round.frames.iter().all(|frame| frame.header.partition == partition);
        let log = &self.partitions[&partition].log;
        let fits = round.bytes as u64 <= log.segment_bytes() || round.frames.len() == 1;
        (alone && fits).then(|| Arc::clone(log))
    }

    /// Writes the frames into the segment and syncs it.
    pub(super) fn write_direct(
        &mut self,
        log: &Arc<PartitionLog>,
        mut appender: MutexGuard<'_, Appender>,
        frames: Vec<Frame>,
    ) -> Result<SyncProof, LogError> {
        let member = self.partitions.get_mut(&log.id()).expect("its round was admitted");
        member.bytes += frames.iter().map(|f| f.header.frame_bytes()).sum::<usize>();
        let due = member.bytes >= self.options.direct_checkpoint_bytes;
        if due {
            member.bytes = 0;
        }
        let proof = appender.write_durably(log, frames)?;
        self.counts.direct_writes += 1;
        if due {
            // Without it a restart would verify all that was written directly.
            self.tasks.push(WriterTask::Checkpoint {
                partitions: vec![Arc::clone(log)],
                next_lsn: self.next_lsn,
                rounds_end: None,
                release: None,
            });
        }
        Ok(proof)
    }
}
