//! One partition's bytes: sealed segments, the active one, and the tail that is
//! durable in the WAL but not yet in a segment.
//!
//! Two loops write (the committer and the segment writer) and any number of
//! readers read. The [`Appender`] lock is held by whoever writes segments; the
//! view lock is held for moments, never across I/O. Everything in the view is as
//! durable as the log promises, so readers need no watermark of their own. Of a log of
//! `page-cache` the tail is empty; one in memory is nothing but a tail.

mod epochs;
mod memory;
mod promise;
mod start;
mod upkeep;

pub(crate) use upkeep::SegmentFacts;

use crate::appender::Appender;
use crate::error::io_error;
use crate::floor::Floor;
use crate::mutation::Planted;
use crate::segment::Segment;
use crate::sessions::{Place, SessionState, SessionTable};
use crate::{Frame, FrameHeader, LogError};
use bytes::Bytes;
use promise::Promise;
use pyralog_env::{Disk, Monotonic};
use pyralog_model::{Epoch, Offset, PartitionId, StoreId};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;
use upkeep::Upkeep;

/// A partition as its store keeps it.
#[derive(Debug)]
pub struct PartitionLog {
    pub(crate) id: PartitionId,
    pub(crate) store: StoreId,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    segment_bytes: AtomicU64,
    deleted: AtomicBool,
    /// The last number that a rewritten segment was given.
    generation: AtomicU64,
    planted: Planted,
    appender: Mutex<Appender>,
    view: RwLock<View>,
    upkeep: Mutex<Upkeep>,
    promise: Promise,
}

/// What readers see.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) log_start: Offset,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) tail: VecDeque<Frame>,
    pub(crate) tail_bytes: usize,
    pub(crate) end: Offset,
    pub(crate) last_epoch: Epoch,
    /// The fold over everything before `end`.
    pub(crate) sessions: SessionTable,
}

/// The answer to a read.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    /// Pieces to be written back to back: whole batches, the first of which may
    /// begin before the offset asked for.
    pub pieces: Vec<Bytes>,
    /// For each of them the Scarab id of its first record, 0 without one.
    pub scarab_bases: Vec<u64>,
    /// Sum of the pieces' lengths.
    pub bytes: usize,
    /// The first offset that is kept.
    pub log_start: Offset,
    /// The end when the read was made.
    pub end: Offset,
}

/// How large a partition is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartitionSizes {
    /// Number of segments.
    pub segments: usize,
    /// Bytes in segments.
    pub segment_bytes: u64,
    /// Bytes that are in memory: durable in the WAL and not yet in a segment, or all
    /// that a log in memory has.
    pub tail_bytes: usize,
}

impl Slice {
    pub(crate) fn push(&mut self, batch: Bytes, header: &FrameHeader) {
        self.bytes += batch.len();
        self.pieces.push(batch);
        self.scarab_bases.push(header.scarab_base);
    }
}

impl PartitionLog {
    pub(crate) fn new(
        id: PartitionId,
        store: StoreId,
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        segment_bytes: u64,
        appender: Appender,
        view: View,
    ) -> PartitionLog {
        let generations = view.segments.iter().map(|segment| segment.name.generation);
        let generation = generations.max().unwrap_or(0);
        PartitionLog {
            id,
            store,
            disk,
            dir,
            segment_bytes: AtomicU64::new(segment_bytes),
            deleted: AtomicBool::new(false),
            generation: AtomicU64::new(generation),
            planted: appender.planted,
            appender: Mutex::new(appender),
            view: RwLock::new(view),
            upkeep: Mutex::default(),
            promise: Promise::default(),
        }
    }

    /// The same log with a weaker promise, whose floor this is.
    pub(crate) fn promising(self, floor: Floor) -> PartitionLog {
        PartitionLog { promise: Promise::with(floor), ..self }
    }

    /// Which partition this is.
    pub fn id(&self) -> PartitionId {
        self.id
    }

    /// The first offset that is kept, and the offset after the last record.
    pub fn bounds(&self) -> (Offset, Offset) {
        self.view(|view| (view.log_start, view.end))
    }

    /// The epoch of the last record.
    pub fn last_epoch(&self) -> Epoch {
        self.view(|view| view.last_epoch)
    }

    /// How large the partition is.
    pub fn sizes(&self) -> PartitionSizes {
        self.view(|view| PartitionSizes {
            segments: view.segments.len(),
            segment_bytes: view.segments.iter().map(|s| s.extent(|e| e.bytes)).sum(),
            tail_bytes: view.tail_bytes,
        })
    }

    /// Seals segments at this size from now on, in bytes.
    pub fn set_segment_bytes(&self, bytes: u64) {
        self.segment_bytes.store(bytes, Ordering::Relaxed);
    }

    /// What is known of a producer's session, as of the end.
    pub fn session(&self, session: i64) -> (SessionState, Offset) {
        self.view(|view| (view.sessions.state(session), view.end))
    }

    /// How many sessions are known.
    pub fn sessions(&self) -> usize {
        self.view(|view| view.sessions.len())
    }

    /// Forgets producers' sessions that are idle for longer than `expiration`, and
    /// says how many they were.
    pub fn forget_idle(&self, now: Monotonic, expiration: Duration) -> usize {
        // Whoever writes a segment may take long; there is a next time.
        if let Some(mut appender) = self.try_lock_appender() {
            appender.sessions.forget_idle(now, expiration);
        }
        self.change_view(|view| view.sessions.forget_idle(now, expiration))
    }

    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segment_bytes.load(Ordering::Relaxed)
    }

    /// True if a read from `from` is answered from memory, without I/O.
    pub fn is_in_memory(&self, from: Offset) -> bool {
        self.view(|view| from >= view.end || view.tail_holds(from))
    }

    /// Whole batches from the one that holds `from`, or from the next one if compaction
    /// has left nothing there: at least one if there is any,
    /// more until `bytes_max`, and possibly fewer than there are: ask again from
    /// where they end.
    pub fn read(&self, from: Offset, bytes_max: usize) -> Result<Slice, LogError> {
        let (segment, mut slice) = {
            let view = self.view.read().expect("no one panics while holding a view");
            let (start, end) = (view.log_start, view.end);
            if from < start || from > end {
                return Err(LogError::OutOfRange { from, start, end });
            }
            let mut slice = Slice { log_start: start, end, ..Slice::default() };
            if from == end {
                return Ok(slice);
            }
            if view.tail_holds(from) {
                view.read_tail(from, bytes_max, &mut slice);
                return Ok(slice);
            }
            (view.segment_of(from), slice)
        };
        segment.read(from, bytes_max, &mut slice)?;
        Ok(slice)
    }

    /// The batch that holds `offset`, or the next one that is there; verified. For who
    /// wants one record: it reads as little as can be.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_one(&self, offset: Offset) -> Result<Slice, LogError> {
        let mut slice = Slice::default();
        let segment = {
            let view = self.view.read().expect("no one panics while holding a view");
            (slice.log_start, slice.end) = (view.log_start, view.end);
            if offset < view.log_start || offset >= view.end {
                let (start, end) = (view.log_start, view.end);
                return Err(LogError::OutOfRange { from: offset, start, end });
            }
            if view.tail_holds(offset) {
                view.read_tail(offset, 1, &mut slice);
                return Ok(slice);
            }
            view.segment_of(offset)
        };
        segment.read_one(offset, &mut slice)?;
        Ok(slice)
    }

    /// The first batch that ends after `from` and has a timestamp of `time` (in
    /// milliseconds) or more, whole. Nothing before the start is looked at.
    pub fn batch_at_time(&self, time: i64, from: Offset) -> Result<Option<Bytes>, LogError> {
        let (segments, from, in_tail) = self.view(|view| {
            let from = from.max(view.log_start);
            let found =
                |frame: &&Frame| frame.max_timestamp >= time && frame.header.next_offset() > from;
            let in_tail = view.tail.iter().find(found);
            (view.segments.clone(), from, in_tail.map(Frame::stored_batch))
        });
        for segment in segments.iter().filter(|s| s.extent(|extent| extent.end) > from) {
            if let Some(batch) = segment.batch_at_time(time, from)? {
                return Ok(Some(batch));
            }
        }
        Ok(in_tail)
    }

    /// Where the batch that holds `offset` begins; `offset` itself at the end and
    /// at the beginning of a batch.
    pub(crate) fn batch_begin(&self, offset: Offset) -> Result<Offset, LogError> {
        enum Place {
            Known(Offset),
            In(Arc<Segment>),
        }
        let place = self.view(|view| {
            if offset >= view.end || view.segments.is_empty() && view.tail.is_empty() {
                return Place::Known(offset);
            }
            let holder = view.tail.iter().rev().find(|f| f.header.base_offset <= offset);
            match holder {
                Some(frame) => Place::Known(frame.header.base_offset),
                None => Place::In(view.segment_of(offset)),
            }
        });
        match place {
            Place::Known(begin) => Ok(begin),
            Place::In(segment) => Ok(segment.kept_below(offset)?.end),
        }
    }

    /// The sessions as of the beginning of `last`, the last segment.
    pub(crate) fn sessions_before(&self, last: &Segment) -> Result<SessionTable, LogError> {
        let mut sealed = self.view(|view| view.segments.clone());
        let first = sealed.first().map_or(last.base(), |segment| segment.base());
        sealed.retain(|segment| segment.base() < last.base());
        self.place().sessions_after(first, &sealed)
    }

    pub(crate) fn place(&self) -> Place<'_> {
        let (disk, dir) = (&*self.disk, self.dir.as_path());
        Place { disk, dir, store: self.store, partition: self.id }
    }

    /// Says that the partition's directory may go at any moment.
    pub(crate) fn mark_deleted(&self) {
        self.deleted.store(true, Ordering::Release);
    }

    /// True once the directory of a deleted partition is gone. Until then it is
    /// kept whole: a crash before the removal is recovered as any other.
    pub(crate) fn is_gone(&self) -> Result<bool, LogError> {
        if !self.deleted.load(Ordering::Acquire) {
            return Ok(false);
        }
        let there = self.disk.exists(&self.dir).map_err(io_error("cannot look at", &self.dir))?;
        Ok(!there)
    }

    pub(crate) fn view<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.view.read().expect("no one panics while holding a view"))
    }

    pub(crate) fn change_view<T>(&self, change: impl FnOnce(&mut View) -> T) -> T {
        change(&mut self.view.write().expect("no one panics while holding a view"))
    }

    pub(crate) fn lock_appender(&self) -> MutexGuard<'_, Appender> {
        self.appender.lock().expect("a panic in a writer ends the store")
    }

    pub(crate) fn try_lock_appender(&self) -> Option<MutexGuard<'_, Appender>> {
        self.appender.try_lock().ok()
    }

    /// Shows frames that a WAL round made durable, or that need not be.
    pub(crate) fn publish_tail(&self, frames: Vec<Frame>) {
        let frames: Vec<Frame> = frames.into_iter().map(Frame::detached).collect();
        self.change_view(|view| {
            for frame in frames {
                view.advance(&frame);
                view.tail_bytes += frame.header.frame_bytes();
                view.tail.push_back(frame);
            }
        });
    }
}

impl View {
    /// The end moves over a frame, which must continue the log.
    pub(crate) fn advance(&mut self, frame: &Frame) {
        let header = &frame.header;
        assert_eq!(header.base_offset, self.end, "offsets are contiguous");
        assert!(header.epoch >= self.last_epoch, "epochs never go back");
        self.end = header.next_offset();
        self.last_epoch = header.epoch;
        if let Some(batch) = frame.session_batch() {
            self.sessions.fold(&batch);
        }
    }

    pub(crate) fn pop_tail(&mut self, frames: usize) {
        for frame in self.tail.drain(..frames) {
            self.tail_bytes -= frame.header.frame_bytes();
        }
    }

    fn tail_holds(&self, from: Offset) -> bool {
        self.tail.front().is_some_and(|first| from >= first.header.base_offset)
    }

    fn segment_of(&self, from: Offset) -> Arc<Segment> {
        let after = self.segments.partition_point(|segment| segment.base() <= from);
        Arc::clone(&self.segments[after.checked_sub(1).expect("from is not below the start")])
    }

    fn read_tail(&self, from: Offset, bytes_max: usize, slice: &mut Slice) {
        let first = self.tail.partition_point(|frame| frame.header.next_offset() <= from);
        for frame in self.tail.range(first..) {
            let size = frame.header.batch_bytes as usize;
            if slice.bytes > 0 && slice.bytes + size > bytes_max {
                break;
            }
            slice.push(frame.stored_batch(), &frame.header);
        }
    }
}
