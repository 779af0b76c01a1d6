//! From a key to its records, newest first.
//!
//! The index names candidates; a record counts if its key is the one asked for. Where
//! the index knows nothing, records are scanned from the newest on, a stretch at a time:
//! who wants the newest need not wait for all.

use super::Keys;
use super::partition_keys::PartitionKeys;
use super::question::{FoundRecord, KeyQuestion, KeysError};
use super::stored::Stored;
use bytes::Bytes;
use pyralog_index::Candidate;
use pyralog_log::LogError;
use pyralog_model::{Offset, Record};
use std::ops::Range;
use std::sync::atomic::Ordering;

/// Offsets of the first stretch of a scan; each one after it is twice as long.
const STRETCH_FIRST: u64 = 1 << 10;
const STRETCH_MOST: u64 = 1 << 16;

/// What a question has come to.
struct Answer<'a> {
    question: &'a KeyQuestion,
    keys: &'a Keys,
    found: Vec<FoundRecord>,
    bytes: usize,
}

impl Answer<'_> {
    fn is_complete(&self) -> bool {
        let KeyQuestion { records_max, bytes_max, .. } = self.question;
        self.found.len() >= *records_max || self.bytes >= *bytes_max
    }

    fn is_late(&self) -> bool {
        self.keys.clock.monotonic() >= self.question.deadline
            || self.keys.ended.load(Ordering::Acquire)
    }

    fn add(&mut self, found: FoundRecord) {
        self.bytes += found.record.value.as_ref().map_or(0, Bytes::len);
        self.found.push(found);
    }
}

impl PartitionKeys {
    /// The records that answer a question, newest first.
    pub(super) fn find(
        &self,
        question: &KeyQuestion,
        keys: &Keys,
    ) -> Result<Vec<FoundRecord>, KeysError> {
        let KeyQuestion { key, below, .. } = question;
        let mut answer = Answer { question, keys, found: Vec::new(), bytes: 0 };
        let fed = self.feed(*below, || !answer.is_late())?;
        if fed < *below {
            return Err(self.behind(fed..*below));
        }
        // The index hears later that the log begins later.
        let (start, _) = self.log.bounds();
        for candidate in self.index.candidates(key, *below) {
            if answer.is_complete() {
                break;
            }
            match candidate? {
                Candidate::At { offset, .. } if offset < start => break,
                Candidate::At { offset, .. } => {
                    if let Some(found) = self.record_at(offset, key)? {
                        answer.add(found);
                    }
                    if answer.is_late() && !answer.is_complete() {
                        return Err(self.behind(start..offset));
                    }
                }
                Candidate::Unindexed { range, .. } => {
                    self.scan(range.start.max(start)..range.end, &mut answer)?;
                }
            }
        }
        Ok(answer.found)
    }

    /// The record at `offset`, if it is there and has this key.
    fn record_at(&self, offset: Offset, key: &[u8]) -> Result<Option<FoundRecord>, LogError> {
        let Some(stored) = Stored::at(&self.log, offset)? else { return Ok(None) };
        let found = stored.records().find(|(at, _)| *at >= offset);
        let found = found.filter(|(at, record)| *at == offset && has(record, key));
        Ok(found.map(|(at, record)| self.found(&stored, at, record)))
    }

    /// Looks at every record of a range that the index does not know, newest first.
    fn scan(&self, range: Range<Offset>, answer: &mut Answer<'_>) -> Result<(), KeysError> {
        let (mut end, mut stretch) = (range.end, STRETCH_FIRST);
        while end > range.start && !answer.is_complete() {
            let begin = Offset(end.0.saturating_sub(stretch)).max(range.start);
            for found in self.scan_stretch(begin..end, range.start, answer)?.into_iter().rev() {
                if !answer.is_complete() {
                    answer.add(found);
                }
            }
            (end, stretch) = (begin, (stretch * 2).min(STRETCH_MOST));
        }
        Ok(())
    }

    /// Every record of a stretch that has the key, oldest first.
    fn scan_stretch(
        &self,
        stretch: Range<Offset>,
        start: Offset,
        answer: &Answer<'_>,
    ) -> Result<Vec<FoundRecord>, KeysError> {
        let (mut found, mut from) = (Vec::new(), stretch.start);
        while from < stretch.end {
            if answer.is_late() {
                return Err(self.behind(start..stretch.end));
            }
            let batches = Stored::read(&self.log, from)?;
            let Some(last) = batches.last() else { break };
            for stored in &batches {
                let is_it = |(at, record): &(Offset, Record)| {
                    *at >= from && *at < stretch.end && has(record, &answer.question.key)
                };
                let records = stored.records().filter(is_it);
                found.extend(records.map(|(at, record)| self.found(stored, at, record)));
            }
            from = last.end().max(from);
        }
        Ok(found)
    }

    fn found(&self, stored: &Stored, offset: Offset, record: Record) -> FoundRecord {
        let scarab_id = stored.scarab_id(offset);
        FoundRecord { partition: self.log.id(), offset, scarab_id, record }
    }

    fn behind(&self, range: Range<Offset>) -> KeysError {
        KeysError::Behind { partition: self.log.id(), from: range.start, to: range.end }
    }
}

fn has(record: &Record, key: &[u8]) -> bool {
    record.key.as_deref() == Some(key)
}
