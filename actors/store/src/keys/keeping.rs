//! The thread that keeps the indexes: it feeds them with what became durable, builds
//! and merges their files, and lets go of what the log has let go of.
//!
//! It may fail while everything else goes on: an index that lags makes its readers
//! scan, and what cannot be written now is written later.

use super::partition_keys::PartitionKeys;
use super::stored::Stored;
use super::{Keys, KeysError, Seat};
use crate::upkeep::Stop;
use pyralog_index::{Built, Entry, IndexError, Work};
use pyralog_model::Offset;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often it looks whether there is something new.
const PAUSE: Duration = Duration::from_millis(100);
/// How long an index is left alone after an error.
const REST: Duration = Duration::from_secs(15);
/// Memory for the building of one file, in bytes.
const BUILD_BYTES: usize = 64 << 20;

/// What the thread is asked.
pub(crate) enum KeysJob {
    /// Look at everything now; the answer comes when nothing is left to do.
    Look(oneshot::Sender<()>),
    /// End.
    Stop,
}

pub(crate) struct Keeping {
    pub(crate) keys: Arc<Keys>,
    pub(crate) jobs: Receiver<KeysJob>,
    pub(crate) stop: Arc<Stop>,
}

impl Keeping {
    /// Ends when told to.
    pub(crate) fn run(self) {
        let mut batches_seen = None;
        while !self.stop.is_told() {
            let asked = match self.jobs.recv_timeout(PAUSE) {
                Ok(KeysJob::Look(reply)) => Some(reply),
                Err(RecvTimeoutError::Timeout) => None,
                Ok(KeysJob::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            let batches = self.keys.gauges.batches();
            let is_stirred = self.keys.stirred.swap(false, Ordering::AcqRel);
            if asked.is_none() && !is_stirred && batches_seen == Some(batches) {
                continue;
            }
            batches_seen = Some(batches);
            if catch_unwind(AssertUnwindSafe(|| self.look())).is_err() {
                tracing::error!("keeping the key indexes panicked; please report it with the log");
            }
            if let Some(reply) = asked {
                let _ = reply.send(());
            }
        }
    }

    fn look(&self) {
        let seats = self.keys.all_seats();
        let mut maps = Vec::new();
        for seat in &seats {
            if self.stop.is_told() {
                return;
            }
            self.look_after(seat);
            let index = seat.opened();
            maps.extend(index.map(|index| (index.index.memory().active_bytes, seat)));
        }
        self.relieve(maps);
    }

    fn look_after(&self, seat: &Arc<Seat>) {
        if seat.rests(self.keys.clock.monotonic()) {
            self.keys.stirred.store(true, Ordering::Release);
            return;
        }
        let done = match seat.is_wanted() {
            true => self.keep(seat),
            false => self.tidy(seat),
        };
        match done {
            Ok(()) => seat.rested(),
            // The partition is being closed, or everything ends.
            Err(_) if seat.is_closing() || self.stop.is_told() => {}
            Err(error) => {
                self.keys.gauges.keys.failed();
                self.keys.stirred.store(true, Ordering::Release);
                if seat.rest_until(self.keys.clock.monotonic() + REST) {
                    let partition = seat.log.id();
                    tracing::warn!(%partition, %error, "the key index lags: its readers scan");
                }
            }
        }
    }

    fn tidy(&self, seat: &Seat) -> Result<(), KeysError> {
        if seat.untidy.swap(false, Ordering::AcqRel) {
            seat.tidy(&self.keys).inspect_err(|_| seat.untidy.store(true, Ordering::Release))?;
        }
        Ok(())
    }

    /// Brings one index up to date.
    fn keep(&self, seat: &Arc<Seat>) -> Result<(), KeysError> {
        let (start, end) = seat.log.bounds();
        // A partition without records needs no files.
        if start == end && seat.opened().is_none() {
            return Ok(());
        }
        let index = seat.open(&self.keys)?;
        seat.untidy.store(true, Ordering::Release);
        index.index.forget_before(start);
        // Everything that is in the log is durable, and there are no replicas to wait for.
        loop {
            // Maps that are full are made files before the next ones are filled.
            let has_room = || index.index.memory().frozen_bytes == 0;
            let fed = index.feed(end, || has_room() && !self.is_over(seat))?;
            let sealed = seat.log.sealed_end();
            if sealed > index.index.active_base() && sealed <= fed {
                index.index.seal(sealed);
            }
            self.work(seat, &index)?;
            if fed >= end || self.is_over(seat) {
                return Ok(());
            }
        }
    }

    /// Does everything that the index has planned.
    fn work(&self, seat: &Seat, index: &PartitionKeys) -> Result<(), KeysError> {
        while !self.is_over(seat) {
            let Some(work) = index.index.plan() else { return Ok(()) };
            let kind = work.kind();
            let done = seat.work(|| self.run_work(seat, index, work));
            let Some(done) = done else {
                index.index.abandon();
                return Ok(());
            };
            index.index.install(done)?;
            self.keys.gauges.keys.worked(kind);
        }
        Ok(())
    }

    fn run_work(
        &self,
        seat: &Seat,
        index: &PartitionKeys,
        work: Work,
    ) -> Result<Built, IndexError> {
        match work.reads() {
            None => work.run(BUILD_BYTES, []),
            Some(range) => {
                let entries =
                    Scan { keeping: self, seat, index, range, batch: Vec::new().into_iter() };
                work.run(BUILD_BYTES, entries)
            }
        }
    }

    /// Has the largest maps made files until all of them fit into their part.
    fn relieve(&self, mut maps: Vec<(u64, &Arc<Seat>)>) {
        let most = self.keys.options.map_bytes() as u64;
        let mut all: u64 = maps.iter().map(|(bytes, _)| bytes).sum();
        self.keys.gauges.keys.set_memory(self.keys.cache.used_bytes(), all);
        if all <= most {
            return;
        }
        maps.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        for (bytes, seat) in maps {
            if all <= most / 2 || self.stop.is_told() {
                return;
            }
            all -= bytes;
            if let Some(index) = seat.opened() {
                let fed = index.feed(Offset::ZERO, || false).unwrap_or_default();
                index.index.seal(fed);
                self.look_after(seat);
            }
        }
    }

    fn is_over(&self, seat: &Seat) -> bool {
        self.stop.is_told() || seat.is_closing()
    }
}

/// The keyed records of a range, for a gap that is filled.
struct Scan<'a> {
    keeping: &'a Keeping,
    seat: &'a Seat,
    index: &'a PartitionKeys,
    /// What is still to be read.
    range: Range<Offset>,
    batch: std::vec::IntoIter<(u64, Offset, bool)>,
}

impl Scan<'_> {
    fn step(&mut self) -> Result<Option<Entry>, IndexError> {
        loop {
            if let Some((hash, offset, tombstone)) = self.batch.next() {
                return Ok(Some(Entry::at(hash, offset, tombstone)));
            }
            if self.range.start >= self.range.end {
                return Ok(None);
            }
            if self.keeping.is_over(self.seat) {
                return Err(IndexError::Unfit { what: "it is ending" });
            }
            let batches = Stored::read(&self.index.log, self.range.start).map_err(unreadable)?;
            let end = batches.last().map_or(self.range.end, Stored::end);
            let mut records = Vec::new();
            for stored in &batches {
                records.extend(stored.keyed(&self.index.index, self.range.start));
            }
            records.retain(|(_, offset, _)| *offset < self.range.end);
            self.batch = records.into_iter();
            self.range.start = end.max(self.range.start);
        }
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Entry, IndexError>;

    fn next(&mut self) -> Option<Result<Entry, IndexError>> {
        self.step().transpose()
    }
}

fn unreadable(error: pyralog_log::LogError) -> IndexError {
    IndexError::Io {
        what: "cannot read the records of",
        path: std::path::PathBuf::from("the log"),
        cause: error.to_string(),
    }
}
