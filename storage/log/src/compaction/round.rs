//! One round over one partition.

use super::judging::{Candidate, Fate, Judge, opened};
use super::key_map::KeyMap;
use super::output::{Output, discard};
use super::planning::{DirtyPart, dirty_part, groups};
use super::{CompactionHost, Replacement, Switched};
use crate::mutation::{Mutation, Planted};
use crate::paths::SegmentName;
use crate::segment::{SEGMENT_HEADER_BYTES, Segment};
use crate::{LogError, PartitionLog};
use bytes::Bytes;
use pyralog_env::WallMillis;
use pyralog_model::Offset;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// How a round is done.
#[derive(Debug, Clone, Copy)]
pub struct CompactionOptions {
    /// Memory for keys, in bytes. A dirty part with more of them takes several rounds.
    pub key_bytes_max: usize,
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Bytes of frames that were read, some of them twice.
    pub bytes_read: u64,
    /// Bytes of frames that were written.
    pub bytes_written: u64,
    /// Records that were left out.
    pub records_removed: u64,
    /// Files that were put in the place of others.
    pub segments_written: u64,
    /// The partition is compacted up to here.
    pub cleaned: Offset,
}

/// One round over a partition, if it is due. `below` is its high watermark.
///
/// # Errors
/// `Closed` if the host did not let it go on, `NotOpen` if the log was deleted,
/// `DiskFull`, and `Corrupt` and `Io` for what cannot be read: nothing is changed by
/// halves then. `Failed` is final for the store.
pub fn compact(
    log: &Arc<PartitionLog>,
    options: &CompactionOptions,
    now: WallMillis,
    below: Offset,
    host: &mut dyn CompactionHost,
) -> Result<Option<CompactionReport>, LogError> {
    let Some(part) = dirty_part(log, now, below).filter(|part| part.is_due) else {
        return Ok(None);
    };
    let report = CompactionReport { cleaned: part.from, ..CompactionReport::default() };
    let mut round = Round { log, now, host, report };
    match round.run(&part, options) {
        Ok(()) => Ok(Some(round.report)),
        // What was deleted meanwhile may fail in any way.
        Err(_) if log.is_gone()? => Err(LogError::NotOpen(log.id)),
        Err(error) => Err(error),
    }
}

struct Round<'a> {
    log: &'a Arc<PartitionLog>,
    now: WallMillis,
    host: &'a mut dyn CompactionHost,
    report: CompactionReport,
}

impl Round<'_> {
    fn run(&mut self, part: &DirtyPart, options: &CompactionOptions) -> Result<(), LogError> {
        let sources = self.log.sealed_to(part.to);
        let (keys, mapped_to) = self.map_keys(&sources, part, options)?;
        // Those that the map says nothing about are left alone.
        let touched = sources.partition_point(|segment| segment.base() < mapped_to);
        let sources = &sources[..touched];
        let (Some(settings), Some(first)) = (self.log.upkeep_settings(), sources.first()) else {
            return Ok(());
        };
        let sessions = self.log.place().sessions_after(first.base(), sources)?;
        let judge = Judge {
            keys: &keys,
            mapped_to,
            sessions: &sessions,
            now: self.now,
            delete_retention_ms: settings.delete_retention_ms,
            unopened: Cell::new(false),
            planted: self.log.planted(),
        };
        let header = SEGMENT_HEADER_BYTES as u64;
        let bytes = sources.iter().map(|segment| segment.extent(|e| e.bytes) - header);
        let bytes: Vec<u64> = bytes.collect();
        for group in groups(&bytes, self.log.segment_bytes().saturating_sub(header)) {
            if !self.rewrite(&judge, sources, group)? {
                return Ok(());
            }
        }
        self.host.save_cleaned(self.log, mapped_to)?;
        self.report.cleaned = mapped_to;
        Ok(())
    }

    /// The keys of the dirty part, and where they end: at its end, or at the first
    /// record for whose key there is no room.
    fn map_keys(
        &mut self,
        sources: &[Arc<Segment>],
        part: &DirtyPart,
        options: &CompactionOptions,
    ) -> Result<(KeyMap, Offset), LogError> {
        let mut keys = KeyMap::new(options.key_bytes_max);
        let mut times = ByTime::new(self.log.planted());
        let mut full = None;
        let dirty = sources.iter().filter(|segment| segment.extent(|e| e.end) > part.from);
        for segment in dirty {
            segment.walk(part.from, |header, batch| {
                self.has_read(header.frame_bytes())?;
                let records = opened(batch).map_or(Vec::new(), |(_, records)| records);
                for record in records {
                    let offset = header.base_offset.plus(record.offset_delta as u64);
                    let Some(key) = record.key.filter(|_| offset >= part.from) else { continue };
                    if !times.is_older(&key, record.timestamp) && !keys.insert(&key, offset) {
                        full = Some(offset);
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if full.is_some() {
                break;
            }
        }
        Ok((keys, full.unwrap_or(part.to)))
    }

    /// Puts one file in the place of a group, unless it would be the same one. False if
    /// the partition is not any more what the round began with.
    fn rewrite(
        &mut self,
        judge: &Judge<'_>,
        sources: &[Arc<Segment>],
        group: Range<usize>,
    ) -> Result<bool, LogError> {
        let so_far = &sources[..group.end];
        let group = &sources[group];
        if let [alone] = group
            && !self.would_change(judge, alone)?
        {
            return Ok(true);
        }
        let generation = self.log.next_generation();
        let name = SegmentName { base: group[0].base(), generation };
        let written = self.write(judge, name, group, so_far);
        let switched = match written {
            Ok(replacement) => self.host.replace(self.log, replacement),
            Err(error) => Err(error),
        };
        match &switched {
            Ok(Switched::Done) => self.report.segments_written += 1,
            // The manifest may name it, or nobody may touch the disk any more.
            Ok(Switched::Unknown) | Err(LogError::Failed { .. }) => {}
            Ok(Switched::Overtaken) | Err(_) => discard(self.log, name),
        }
        switched.map(|switched| switched == Switched::Done)
    }

    fn would_change(&mut self, judge: &Judge<'_>, segment: &Segment) -> Result<bool, LogError> {
        let mut changes = false;
        let end = segment.extent(|extent| extent.end);
        segment.walk(segment.base(), |header, batch| {
            self.has_read(header.frame_bytes())?;
            let is_last = header.next_offset() == end;
            let is_rewritten = segment.is_rewritten();
            let candidate = Candidate { header, batch, is_rewritten, is_last };
            changes = judge.judge(&candidate).0 != Fate::Stays;
            Ok(if changes { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(changes)
    }

    fn write(
        &mut self,
        judge: &Judge<'_>,
        name: SegmentName,
        group: &[Arc<Segment>],
        so_far: &[Arc<Segment>],
    ) -> Result<Replacement, LogError> {
        let sessions = self.log.place().sessions_after(so_far[0].base(), so_far)?;
        let end = group[group.len() - 1].extent(|extent| extent.end);
        let mut output = Output::create(self.log, name, end).map_err(final_unless_full)?;
        let mut removed = 0;
        for segment in group {
            let is_rewritten = segment.is_rewritten();
            segment.walk(segment.base(), |header, batch| {
                self.has_read(header.frame_bytes())?;
                let is_last = header.next_offset() == end;
                let (fate, gone) = judge.judge(&Candidate { header, batch, is_rewritten, is_last });
                removed += gone;
                let pushed = match &fate {
                    Fate::Goes => Ok(0),
                    Fate::Stays => output.push(header, batch),
                    Fate::Becomes(other) => output.push(header, other),
                };
                self.has_written(pushed.map_err(final_unless_full)?)?;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        let replacement = output.finish(group, &sessions).map_err(final_unless_full)?;
        self.report.records_removed += removed;
        Ok(replacement)
    }

    fn has_read(&mut self, bytes: usize) -> Result<(), LogError> {
        self.report.bytes_read += bytes as u64;
        self.go_on(bytes as u64)
    }

    fn has_written(&mut self, bytes: u64) -> Result<(), LogError> {
        self.report.bytes_written += bytes;
        self.go_on(bytes)
    }

    fn go_on(&mut self, bytes: u64) -> Result<(), LogError> {
        if self.host.go_on(bytes) { Ok(()) } else { Err(LogError::Closed) }
    }
}

/// The planted bug: a producer's clock decides which record of a key is the last.
struct ByTime(Option<HashMap<Bytes, i64>>);

impl ByTime {
    fn new(planted: Planted) -> ByTime {
        ByTime(planted.is(Mutation::CompactionByTime).then(HashMap::new))
    }

    fn is_older(&mut self, key: &Bytes, time: i64) -> bool {
        let Some(times) = &mut self.0 else { return false };
        let latest = times.entry(key.clone()).or_insert(time);
        *latest = time.max(*latest);
        time < *latest
    }
}

/// A write or a sync that fails for another reason than want of room is the store's
/// end.
fn final_unless_full(error: LogError) -> LogError {
    match error {
        LogError::Io { .. } => LogError::Failed { cause: error.to_string() },
        error => error,
    }
}
