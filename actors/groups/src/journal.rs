//! What is appended next, and when everything is told again: the way from a machine's
//! writes to its log, pure as the machine is.
//!
//! One append is on its way at a time, and all writes that come meanwhile go into the
//! next: a slow disk makes appends larger, not longer queues. When the log has grown
//! long against what it says, a *checkpoint* is appended: the whole state, between two
//! edges. Nothing is appended in between, so it says what the log before it says, and
//! one that was cut short does no harm. Once it is durable, what lies before it can go.

use crate::kept::Kept;
use crate::machine::Token;
use crate::record::{EncodedRecord, Record};
use crate::settings::GroupLimits;
use std::collections::VecDeque;

/// A write costs this much besides its bytes: somebody waits for it.
const WRITE_BYTES: usize = 64;

/// The queue of a log.
#[derive(Debug)]
pub struct Journal {
    append_bytes_max: usize,
    queue_bytes_max: usize,
    checkpoint_bytes_min: u64,
    queue: VecDeque<Queued>,
    queue_bytes: usize,
    /// Writes in the append that is on its way, and its bytes.
    in_flight: Option<InFlight>,
    checkpoint: Option<Checkpoint>,
    /// Bytes of the log since its last checkpoint.
    log_bytes: u64,
    /// No checkpoint before the log has so many.
    postponed_to: u64,
    #[cfg(any(test, feature = "mutants"))]
    planted: Option<OldCheckpoint>,
}

#[derive(Debug)]
struct Queued {
    token: Token,
    records: Vec<EncodedRecord>,
    bytes: usize,
}

#[derive(Debug)]
struct InFlight {
    tokens: Vec<Token>,
    bytes: u64,
}

/// A checkpoint that is being written.
#[derive(Debug)]
struct Checkpoint {
    parts: VecDeque<Vec<EncodedRecord>>,
    /// The offset of its first edge.
    begins: Option<u64>,
    bytes: u64,
}

/// What a decided append means.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// The writes that were in it, in order.
    pub tokens: Vec<Token>,
    /// Whether they are durable.
    pub stored: bool,
    /// Everything before this offset is told again after it.
    pub trim: Option<u64>,
}

impl Journal {
    /// For a log in which there are `log_bytes` since its last checkpoint.
    pub fn new(limits: &GroupLimits, log_bytes: u64) -> Journal {
        Journal {
            append_bytes_max: limits.append_bytes_max,
            queue_bytes_max: limits.queue_bytes_max,
            checkpoint_bytes_min: limits.checkpoint_bytes_min,
            queue: VecDeque::new(),
            queue_bytes: 0,
            in_flight: None,
            checkpoint: None,
            log_bytes,
            postponed_to: 0,
            #[cfg(any(test, feature = "mutants"))]
            planted: None,
        }
    }

    /// Takes a write over; they come in the order of their tokens.
    pub fn push(&mut self, token: Token, records: &[Record]) {
        let records: Vec<EncodedRecord> = records.iter().map(Record::encode).collect();
        let bytes = WRITE_BYTES + bytes_of(&records);
        self.queue_bytes += bytes;
        self.queue.push_back(Queued { token, records, bytes });
    }

    /// True if so much waits that nothing more should be asked for.
    pub fn is_full(&self) -> bool {
        self.queue_bytes >= self.queue_bytes_max
    }

    /// Bytes of the log since its last checkpoint.
    pub fn log_bytes(&self) -> u64 {
        self.log_bytes
    }

    /// The records to append now; `None` if there are none, or an append is on its
    /// way. `kept` is what the log says.
    pub fn next(&mut self, kept: &Kept) -> Option<Vec<EncodedRecord>> {
        if self.in_flight.is_some() {
            return None;
        }
        if self.checkpoint.is_none() && self.is_long(kept) {
            self.begin_checkpoint(kept);
        }
        self.remember(kept);
        let records = match &mut self.checkpoint {
            Some(checkpoint) => {
                let part = checkpoint.parts.pop_front().expect("it ends with its last part");
                self.in_flight =
                    Some(InFlight { tokens: Vec::new(), bytes: bytes_of(&part) as u64 });
                part
            }
            None => self.next_writes()?,
        };
        Some(records)
    }

    /// The append is decided: it begins at this offset, or nothing of it is there.
    pub fn appended(&mut self, base: Option<u64>) -> Decided {
        let Some(InFlight { tokens, bytes }) = self.in_flight.take() else {
            return Decided::default();
        };
        let stored = base.is_some();
        self.log_bytes += if stored { bytes } else { 0 };
        Decided { tokens, stored, trim: self.checkpoint_part_decided(base, bytes) }
    }

    fn next_writes(&mut self) -> Option<Vec<EncodedRecord>> {
        let (mut tokens, mut records, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(first) = self.queue.front() {
            if !tokens.is_empty() && bytes + first.bytes > self.append_bytes_max {
                break;
            }
            let first = self.queue.pop_front().expect("it was looked at");
            bytes += first.bytes;
            tokens.push(first.token);
            records.extend(first.records);
        }
        self.queue_bytes -= bytes;
        if tokens.is_empty() {
            return None;
        }
        self.in_flight = Some(InFlight { tokens, bytes: bytes_of(&records) as u64 });
        Some(records)
    }

    fn is_long(&self, kept: &Kept) -> bool {
        let long = self.checkpoint_bytes_min.max(4 * kept.bytes() as u64);
        self.log_bytes > long && self.log_bytes >= self.postponed_to
    }

    fn begin_checkpoint(&mut self, kept: &Kept) {
        let (mut parts, mut part, mut bytes) = (VecDeque::new(), Vec::new(), 0);
        for record in self.state_to_tell(kept).checkpoint() {
            let record = record.encode();
            bytes += record.bytes();
            part.push(record);
            if bytes >= self.append_bytes_max {
                parts.push_back(std::mem::take(&mut part));
                bytes = 0;
            }
        }
        if !part.is_empty() {
            parts.push_back(part);
        }
        self.checkpoint = Some(Checkpoint { parts, begins: None, bytes: 0 });
    }

    fn checkpoint_part_decided(&mut self, base: Option<u64>, bytes: u64) -> Option<u64> {
        let checkpoint = self.checkpoint.as_mut()?;
        let Some(base) = base else {
            self.checkpoint = None;
            self.postponed_to = self.log_bytes + self.checkpoint_bytes_min;
            return None;
        };
        let begins = *checkpoint.begins.get_or_insert(base);
        checkpoint.bytes += bytes;
        if !checkpoint.parts.is_empty() {
            return None;
        }
        (self.log_bytes, self.postponed_to) = (checkpoint.bytes, 0);
        self.checkpoint = None;
        Some(begins)
    }
}

fn bytes_of(records: &[EncodedRecord]) -> usize {
    records.iter().map(EncodedRecord::bytes).sum()
}

/// The bug of a checkpoint that tells of what was.
#[cfg(any(test, feature = "mutants"))]
#[derive(Debug, Default)]
struct OldCheckpoint {
    before: Kept,
}

impl Journal {
    /// Plants a bug.
    #[cfg(any(test, feature = "mutants"))]
    pub fn with_mutation(mut self, mutation: Option<crate::Mutation>) -> Journal {
        let planted = mutation == Some(crate::Mutation::OldCheckpoint);
        self.planted = planted.then(OldCheckpoint::default);
        self
    }

    #[cfg(any(test, feature = "mutants"))]
    fn state_to_tell<'a>(&'a self, kept: &'a Kept) -> &'a Kept {
        self.planted.as_ref().map_or(kept, |planted| &planted.before)
    }

    #[cfg(not(any(test, feature = "mutants")))]
    fn state_to_tell<'a>(&self, kept: &'a Kept) -> &'a Kept {
        kept
    }

    #[cfg(any(test, feature = "mutants"))]
    fn remember(&mut self, kept: &Kept) {
        if let Some(planted) = &mut self.planted {
            planted.before = kept.clone();
        }
    }

    #[cfg(not(any(test, feature = "mutants")))]
    fn remember(&mut self, _: &Kept) {}
}
