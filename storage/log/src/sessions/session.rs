//! One session: its epoch, its last batches, and what a further batch is to it.

use crate::FrameHeader;
use pyralog_model::Offset;

/// Batches whose offsets are remembered: as many as a producer has in flight.
pub(super) const BATCHES_KEPT: usize = 5;

/// Sequences are 31 bits.
const SEQUENCES: u32 = 1 << 31;

/// A batch as its session sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionBatch {
    /// The session, not negative.
    pub session: i64,
    /// The session's epoch.
    pub epoch: i16,
    /// The sequence of its first record, not negative.
    pub base_sequence: i32,
    /// Number of records.
    pub records: u32,
    /// Where it is, or would be, stored.
    pub base_offset: Offset,
}

impl SessionBatch {
    /// The batch in a frame; none if it is of no session.
    pub fn in_frame(header: &FrameHeader, epoch: i16) -> Option<SessionBatch> {
        (header.session >= 0 && header.base_sequence >= 0).then_some(SessionBatch {
            session: header.session,
            epoch,
            base_sequence: header.base_sequence,
            records: header.record_count,
            base_offset: header.base_offset,
        })
    }
}

/// What is to be done with a batch of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It continues the session: store it.
    Next,
    /// It is stored already.
    Duplicate {
        /// Where.
        base_offset: Offset,
    },
    /// It is stored already, too long ago to say where.
    DuplicateOld,
    /// Batches before it are missing.
    OutOfOrder {
        /// The sequence that would continue the session.
        expect: i32,
    },
    /// A newer epoch of the session has written.
    Fenced {
        /// That epoch.
        epoch: i16,
    },
    /// The session has not written here, or was forgotten, and does not begin.
    Unknown,
}

/// A session that has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub(super) epoch: i16,
    /// Records of this epoch in the log. What lies further back than these was
    /// never stored, and must not be called a duplicate.
    pub(super) stored: u64,
    pub(super) recent: Recent,
}

/// The last batches, the newest last; never empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recent {
    batches: [Stored; BATCHES_KEPT],
    count: u8,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) base_sequence: i32,
    pub(super) records: u32,
    pub(super) base_offset: Offset,
}

impl Session {
    /// A session whose first batch this is.
    pub fn first(batch: &SessionBatch) -> Session {
        let recent = Recent::new(stored(batch));
        Session { epoch: batch.epoch, stored: u64::from(batch.records), recent }
    }

    /// The epoch that wrote last.
    pub fn epoch(&self) -> i16 {
        self.epoch
    }

    /// What is to be done with a batch.
    pub fn judge(&self, batch: &SessionBatch) -> Verdict {
        if batch.epoch < self.epoch {
            return Verdict::Fenced { epoch: self.epoch };
        }
        if batch.epoch > self.epoch {
            return match batch.base_sequence {
                0 => Verdict::Next,
                _ => Verdict::OutOfOrder { expect: 0 },
            };
        }
        let expect = self.expect();
        if batch.base_sequence == expect {
            return Verdict::Next;
        }
        let same = |kept: &&Stored| {
            kept.base_sequence == batch.base_sequence && kept.records == batch.records
        };
        if let Some(kept) = self.recent.as_slice().iter().rev().find(same) {
            return Verdict::Duplicate { base_offset: kept.base_offset };
        }
        let behind = distance(batch.base_sequence, expect);
        let is_stored = u64::from(behind) <= self.stored && batch.records <= behind;
        if is_stored { Verdict::DuplicateOld } else { Verdict::OutOfOrder { expect } }
    }

    /// Takes note of a batch that is in the log.
    pub fn fold(&mut self, batch: &SessionBatch) {
        if batch.epoch != self.epoch {
            *self = Session::first(batch);
            return;
        }
        self.recent.push(stored(batch));
        // Further back than half the sequences, old and new look the same.
        let most = u64::from(SEQUENCES / 2);
        self.stored = (self.stored + u64::from(batch.records)).min(most);
    }

    /// The sequence after the last record.
    fn expect(&self) -> i32 {
        let last = self.recent.last();
        ((last.base_sequence as u32).wrapping_add(last.records) % SEQUENCES) as i32
    }

    pub(super) fn last_offset(&self) -> Offset {
        self.recent.last().base_offset
    }
}

impl Recent {
    pub(super) fn new(first: Stored) -> Recent {
        let mut batches = [Stored::default(); BATCHES_KEPT];
        batches[0] = first;
        Recent { batches, count: 1 }
    }

    pub(super) fn push(&mut self, batch: Stored) {
        if usize::from(self.count) == BATCHES_KEPT {
            self.batches.copy_within(1.., 0);
            self.count -= 1;
        }
        self.batches[usize::from(self.count)] = batch;
        self.count += 1;
    }

    pub(super) fn as_slice(&self) -> &[Stored] {
        &self.batches[..usize::from(self.count)]
    }

    fn last(&self) -> &Stored {
        self.as_slice().last().expect("a session begins with a batch")
    }
}

impl PartialEq for Recent {
    fn eq(&self, other: &Recent) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Recent {}

fn stored(batch: &SessionBatch) -> Stored {
    let SessionBatch { base_sequence, records, base_offset, .. } = *batch;
    Stored { base_sequence, records, base_offset }
}

/// How many sequences after `from` comes `to`.
fn distance(from: i32, to: i32) -> u32 {
    (to as u32).wrapping_sub(from as u32) % SEQUENCES
}
