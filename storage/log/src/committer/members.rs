//! Who may write to which partition, and where the next record of each goes.

use super::{Append, Opened};
use crate::LogError;
use crate::partition_log::PartitionLog;
use pyralog_model::{Epoch, Offset, PartitionId};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The partitions that are open in one committer.
#[derive(Debug, Default)]
pub(crate) struct Members(BTreeMap<PartitionId, Member>);

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) log: Arc<PartitionLog>,
    generation: u64,
    pub(crate) end: Offset,
    /// Of the last batch that was admitted.
    pub(crate) epoch: Epoch,
    /// What its committer counts of it.
    pub(crate) bytes: usize,
}

impl Members {
    /// Begins a new generation of a partition.
    pub(crate) fn open(&mut self, log: Arc<PartitionLog>) -> Opened {
        let (_, end) = log.bounds();
        let last_epoch = log.last_epoch();
        let id = log.id();
        let before = self.0.get(&id).map_or(0, |member| member.generation);
        let generation = before + 1;
        self.0.insert(id, Member { log, generation, end, epoch: last_epoch, bytes: 0 });
        Opened { generation, end, last_epoch }
    }

    /// The partition, if this is its present generation.
    pub(crate) fn of(&self, id: PartitionId, generation: u64) -> Result<&Member, LogError> {
        let member = self.0.get(&id).ok_or(LogError::NotOpen(id))?;
        if member.generation != generation {
            return Err(LogError::Fenced { partition: id, generation: member.generation });
        }
        Ok(member)
    }

    /// True if the append may come next.
    pub(crate) fn check(&self, append: &Append) -> Result<(), LogError> {
        let member = self.of(append.partition, append.generation)?;
        let generation = member.generation;
        let continues =
            append.base == member.end && append.epoch >= member.epoch && !append.batches.is_empty();
        continues.then_some(()).ok_or(LogError::Fenced { partition: append.partition, generation })
    }

    /// Ends a partition's generation after an error, at what is really stored.
    pub(crate) fn fence(&mut self, partition: PartitionId) {
        if let Some(member) = self.0.get_mut(&partition) {
            member.generation += 1;
            member.end = member.log.bounds().1;
            member.epoch = member.log.last_epoch();
        }
    }
}

impl Deref for Members {
    type Target = BTreeMap<PartitionId, Member>;

    fn deref(&self) -> &BTreeMap<PartitionId, Member> {
        &self.0
    }
}

impl DerefMut for Members {
    fn deref_mut(&mut self) -> &mut BTreeMap<PartitionId, Member> {
        &mut self.0
    }
}
