//! What becomes of a batch: a pure decision.

use super::key_map::KeyMap;
use crate::mutation::{Mutation, Planted};
use crate::{FrameHeader, SessionTable};
use bytes::Bytes;
use pyralog_env::WallMillis;
use pyralog_model::{
    BatchHeader, COMPACTED_BATCH_BYTES_MAX, COMPACTED_BATCH_RECORDS_MAX, Offset, RawRecord,
    RecordsError, raw_records, rewrite_batch,
};
use std::cell::Cell;

/// What a round knows when it judges.
pub(super) struct Judge<'a> {
    pub(super) keys: &'a KeyMap,
    /// Every record before this offset that has a key is in `keys`, or in the clean
    /// part before them.
    pub(super) mapped_to: Offset,
    /// As of the end of all that the round touches.
    pub(super) sessions: &'a SessionTable,
    pub(super) now: WallMillis,
    pub(super) delete_retention_ms: u64,
    /// A batch was met that cannot be opened: it may hold what later marks delete, so
    /// they stay.
    pub(super) unopened: Cell<bool>,
    pub(super) planted: Planted,
}

/// What becomes of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays, byte for byte.
    Stays,
    /// This takes its place.
    Becomes(Bytes),
    /// It goes.
    Goes,
}

/// A batch in the file it comes from.
pub(super) struct Candidate<'a> {
    pub(super) header: &'a FrameHeader,
    pub(super) batch: &'a Bytes,
    /// Compaction wrote that file: what the batch says of deletion is its own.
    pub(super) is_rewritten: bool,
    /// The last one of what becomes one file.
    pub(super) is_last: bool,
}

impl Judge<'_> {
    /// What becomes of a batch, and how many of its records go.
    pub(super) fn judge(&self, candidate: &Candidate<'_>) -> (Fate, u64) {
        let Some((header, records)) = opened(candidate.batch) else {
            self.unopened.set(true);
            return (Fate::Stays, 0);
        };
        let horizon = header.delete_horizon().filter(|_| candidate.is_rewritten);
        let base = candidate.header.base_offset;
        let stays = |record: &&RawRecord| !self.goes(base, record, horizon);
        let kept: Vec<RawRecord> = records.iter().filter(stays).cloned().collect();
        let gone = (records.len() - kept.len()) as u64;
        if kept.is_empty() {
            return (self.of_none(candidate, &header, records.is_empty()), gone);
        }
        // A producer may have set the bit, which must not speak for compaction.
        let is_forged = header.delete_horizon().is_some() && !candidate.is_rewritten;
        let stamp = self.stamp(candidate, &kept).filter(|_| horizon.is_none());
        if gone == 0 && stamp.is_none() && !is_forged {
            return (Fate::Stays, 0);
        }
        let rewritten = rewrite_batch(&header, candidate.batch, &kept, horizon.or(stamp));
        (Fate::Becomes(rewritten), gone)
    }

    fn goes(&self, base: Offset, record: &RawRecord, horizon: Option<i64>) -> bool {
        let Some(key) = &record.key else { return false };
        let offset = base.plus(record.offset_delta as u64);
        let by_time = self.planted.is(Mutation::CompactionByTime);
        let is_other = |latest: Offset| latest > offset || by_time && latest != offset;
        let is_superseded = self.keys.latest(key).is_some_and(is_other);
        let is_over = horizon.is_some_and(|horizon| horizon <= self.now.0 && !self.unopened.get())
            || self.planted.is(Mutation::TombstoneTooEarly);
        is_superseded || record.is_tombstone && is_over
    }

    /// A batch of which no record is left.
    fn of_none(&self, candidate: &Candidate<'_>, header: &BatchHeader, was_none: bool) -> Fate {
        let FrameHeader { session, base_offset, .. } = *candidate.header;
        if !candidate.is_last && !self.sessions.ends_with(session, base_offset) {
            return Fate::Goes;
        }
        match was_none {
            true => Fate::Stays,
            false => Fate::Becomes(rewrite_batch(header, candidate.batch, &[], None)),
        }
    }

    /// When the marks of deletion in a batch may go, if it has any and everything older
    /// of their keys is gone once this round is done with what lies before it.
    fn stamp(&self, candidate: &Candidate<'_>, kept: &[RawRecord]) -> Option<i64> {
        let is_mark = |record: &RawRecord| record.is_tombstone && record.key.is_some();
        let is_covered = candidate.header.next_offset() <= self.mapped_to;
        let wait = i64::try_from(self.delete_retention_ms).unwrap_or(i64::MAX);
        let may_go = is_covered && !self.unopened.get();
        (may_go && kept.iter().any(is_mark)).then(|| self.now.0.saturating_add(wait))
    }
}

/// The records of a batch, each with its place; none if they cannot be read, are too
/// many, or a broker's own.
pub(super) fn opened(batch: &Bytes) -> Option<(BatchHeader, Vec<RawRecord>)> {
    let header = BatchHeader::parse(batch).ok().filter(|header| !header.is_control())?;
    if header.records() > COMPACTED_BATCH_RECORDS_MAX {
        return None;
    }
    let records = raw_records(&header, batch, COMPACTED_BATCH_BYTES_MAX).ok()?;
    let records: Result<Vec<RawRecord>, RecordsError> = records.collect();
    placed(&header, records.ok()?).map(|records| (header, records))
}

/// In a producer's batch records are numbered as they come, whatever they say of it.
/// In one that was compacted their numbers are all there is.
fn placed(header: &BatchHeader, mut records: Vec<RawRecord>) -> Option<Vec<RawRecord>> {
    if header.records() == header.offsets() {
        (0..).zip(&mut records).for_each(|(place, record)| record.offset_delta = place);
        return Some(records);
    }
    let rises = records.windows(2).all(|pair| pair[0].offset_delta < pair[1].offset_delta);
    let first = records.first().is_none_or(|first| first.offset_delta >= 0);
    let last = records.last().is_none_or(|last| last.offset_delta <= header.last_offset_delta);
    (rises && first && last).then_some(records)
}

#[cfg(test)]
mod tests;
