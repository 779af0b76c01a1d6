//! What a coordinator keeps: the fold of its log. The running machine holds the same
//! and changes it only by records that are durable.

use crate::protocol::TopicPartition;
use crate::record::{KeptGroup, KeptOffset, Record, RecordError};
use std::collections::BTreeMap;
use thiserror::Error;

/// Roughly what an entry takes besides its texts, in bytes.
const ENTRY_BYTES: usize = 48;

/// Everything that is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    groups: BTreeMap<String, KeptEntry>,
    bytes: usize,
}

/// What is kept of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptEntry {
    /// Its generation; `None` if it only ever had offsets.
    pub group: Option<KeptGroup>,
    /// Its committed offsets.
    pub offsets: BTreeMap<TopicPartition, KeptOffset>,
}

impl KeptEntry {
    fn records(&self, group: &str) -> impl Iterator<Item = Record> {
        let of_group = self
            .group
            .iter()
            .map(move |kept| Record::Group { group: group.to_owned(), kept: Some(kept.clone()) });
        let offsets = self.offsets.iter().map(move |(partition, kept)| Record::Offset {
            group: group.to_owned(),
            partition: partition.clone(),
            kept: Some(kept.clone()),
        });
        of_group.chain(offsets)
    }
}

impl Kept {
    /// Takes a record over.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Group { group, kept } => {
                let entry = self.groups.entry(group.clone()).or_default();
                let before = std::mem::replace(&mut entry.group, kept.clone());
                self.weigh(before.map(|kept| group_bytes(&kept)), kept.as_ref().map(group_bytes));
                self.tidy(group);
            }
            Record::Offset { group, partition, kept } => {
                let entry = self.groups.entry(group.clone()).or_default();
                // A commit that was long on its way is not told of a later log.
                let there = entry.offsets.get(partition);
                if kept.as_ref().zip(there).is_some_and(|(kept, there)| kept.is_before(there)) {
                    return;
                }
                let before = match kept.clone() {
                    Some(kept) => entry.offsets.insert(partition.clone(), kept),
                    None => entry.offsets.remove(partition),
                };
                let bytes = |kept: &KeptOffset| offset_bytes(partition, &kept.metadata);
                self.weigh(before.as_ref().map(bytes), kept.as_ref().map(bytes));
                self.tidy(group);
            }
            Record::CheckpointBegins | Record::CheckpointEnds { .. } => {}
        }
    }

    /// What is kept of a group.
    pub fn group(&self, group: &str) -> Option<&KeptEntry> {
        self.groups.get(group)
    }

    /// All groups, sorted by name.
    pub fn groups(&self) -> impl Iterator<Item = (&String, &KeptEntry)> {
        self.groups.iter()
    }

    /// About how many bytes a checkpoint would have.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything as records, with a checkpoint's two edges. Each is made when it is
    /// asked for: nobody needs a second copy of everything.
    pub fn checkpoint(&self) -> impl Iterator<Item = Record> {
        let count = |entry: &KeptEntry| usize::from(entry.group.is_some()) + entry.offsets.len();
        let records = self.groups.values().map(count).sum::<usize>() as u64;
        let of_groups = self.groups.iter().flat_map(|(group, entry)| entry.records(group));
        let (begins, ends) = (Record::CheckpointBegins, Record::CheckpointEnds { records });
        std::iter::once(begins).chain(of_groups).chain(std::iter::once(ends))
    }

    fn weigh(&mut self, before: Option<usize>, after: Option<usize>) {
        self.bytes = self.bytes + after.unwrap_or(0) - before.unwrap_or(0);
    }

    fn tidy(&mut self, group: &str) {
        if self.groups.get(group).is_some_and(|e| e.group.is_none() && e.offsets.is_empty()) {
            self.groups.remove(group);
        }
    }
}

fn group_bytes(kept: &KeptGroup) -> usize {
    let member = |member: &crate::record::KeptMember| {
        let said: usize =
            member.protocols.iter().map(|(name, said)| name.len() + said.0.len()).sum();
        let names = member.member.len() + member.client_id.len() + member.client_host.len();
        ENTRY_BYTES + names + said + member.assignment.0.len()
    };
    ENTRY_BYTES + kept.members.iter().map(member).sum::<usize>()
}

/// About what an offset takes, in bytes.
pub(crate) fn offset_bytes(partition: &TopicPartition, metadata: &str) -> usize {
    ENTRY_BYTES + partition.topic.len() + metadata.len()
}

/// Why a log cannot be what a coordinator wrote.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FoldError {
    /// A record cannot be read.
    #[error("record {offset} of the log cannot be read: {error}")]
    Record {
        /// Where it is.
        offset: u64,
        /// What is wrong.
        error: RecordError,
    },
    /// The beginning is gone, and no checkpoint stands in for it.
    #[error("the log begins at {start} without a checkpoint")]
    NoCheckpoint {
        /// Its first offset.
        start: u64,
    },
}

/// Reads a log from its start.
#[derive(Debug)]
pub struct Fold {
    kept: Kept,
    start: u64,
    next: u64,
    /// Records since the checkpoint that stands in for the beginning, while it lasts.
    opening: Option<u64>,
    bytes: u64,
    #[cfg(any(test, feature = "mutants"))]
    mutation: Option<crate::Mutation>,
    #[cfg(any(test, feature = "mutants"))]
    before_last: Kept,
}

/// What a log said.
#[derive(Debug, Clone, Default)]
pub struct Folded {
    /// The state.
    pub kept: Kept,
    /// Bytes of its records.
    pub bytes: u64,
}

impl Fold {
    /// Of a log whose first offset is `start`.
    pub fn new(start: u64) -> Fold {
        Fold {
            kept: Kept::default(),
            start,
            next: start,
            opening: (start > 0).then_some(0),
            bytes: 0,
            #[cfg(any(test, feature = "mutants"))]
            mutation: None,
            #[cfg(any(test, feature = "mutants"))]
            before_last: Kept::default(),
        }
    }

    /// Plants a bug.
    #[cfg(any(test, feature = "mutants"))]
    pub fn with_mutation(mut self, mutation: Option<crate::Mutation>) -> Fold {
        self.mutation = mutation;
        self
    }

    /// The next offset to read.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Takes the record at the next offset over.
    ///
    /// # Errors
    /// It cannot be read, or the log's beginning is missing.
    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), FoldError> {
        let offset = self.next;
        let record = Record::decode(key, value);
        let record = record.map_err(|error| FoldError::Record { offset, error })?;
        self.check_opening(&record)?;
        #[cfg(any(test, feature = "mutants"))]
        if self.mutation == Some(crate::Mutation::LastRecordLost) {
            self.before_last = self.kept.clone();
        }
        self.kept.apply(&record);
        self.next += 1;
        self.bytes += (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        Ok(())
    }

    /// What the log said.
    ///
    /// # Errors
    /// The checkpoint at its start does not end.
    pub fn finish(self) -> Result<Folded, FoldError> {
        if self.opening.is_some() {
            return Err(FoldError::NoCheckpoint { start: self.start });
        }
        #[cfg(any(test, feature = "mutants"))]
        if self.mutation == Some(crate::Mutation::LastRecordLost) {
            return Ok(Folded { kept: self.before_last, bytes: self.bytes });
        }
        Ok(Folded { kept: self.kept, bytes: self.bytes })
    }

    /// What was cut off is told again by the checkpoint that the log begins with.
    fn check_opening(&mut self, record: &Record) -> Result<(), FoldError> {
        let Some(told) = self.opening else { return Ok(()) };
        self.opening = match record {
            Record::CheckpointBegins if told == 0 => Some(1),
            Record::CheckpointEnds { records } if told > 0 && *records == told - 1 => None,
            Record::Group { .. } | Record::Offset { .. } if told > 0 => Some(told + 1),
            _ => return Err(FoldError::NoCheckpoint { start: self.start }),
        };
        Ok(())
    }
}
