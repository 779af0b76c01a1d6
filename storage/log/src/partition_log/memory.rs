//! A log in memory: a tail that no segment follows. What is over a budget goes, the
//! oldest first, and the start of the log moves with it.

use super::{PartitionLog, View};
use crate::{Frame, LogError};
use pyralog_model::{Lsn, Offset};

/// What a frame takes in memory besides its bytes: its place in the tail and the
/// allocation of its batch.
const FRAME_MEMORY_BYTES: usize = size_of::<Frame>() + 48;

impl PartitionLog {
    /// Shows frames to readers and keeps them, within the log's own budget, of which
    /// the last one is no part. Returns the bytes that the log takes now.
    pub(crate) fn keep_in_memory(&self, frames: Vec<Frame>, budget: usize) -> usize {
        self.publish_tail(frames);
        self.change_view(|view| {
            while view.tail.len() > 1 && view.memory_bytes() > budget {
                view.drop_first();
            }
            view.memory_bytes()
        })
    }

    /// Bytes that the records take in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.view(View::memory_bytes)
    }

    /// The number of the oldest frame.
    pub(crate) fn oldest_lsn(&self) -> Option<Lsn> {
        self.view(|view| view.tail.front().map(|frame| frame.header.lsn))
    }

    /// Lets go of frames up to this number, until so many bytes are free or none is
    /// left. Returns how many bytes became free.
    pub(crate) fn drop_oldest(&self, last: Lsn, bytes: usize) -> usize {
        self.change_view(|view| {
            let before = view.memory_bytes();
            while view.tail.front().is_some_and(|first| first.header.lsn <= last)
                && before - view.memory_bytes() < bytes
            {
                view.drop_first();
            }
            before - view.memory_bytes()
        })
    }

    /// Lets the log begin at `to`, which may lie in the middle of a batch.
    pub(crate) fn drop_before(&self, to: Offset) -> Result<Offset, LogError> {
        self.change_view(|view| {
            let (start, end) = (view.log_start, view.end);
            if to > end {
                return Err(LogError::OutOfRange { from: to, start, end });
            }
            while view.tail.front().is_some_and(|first| first.header.next_offset() <= to) {
                view.drop_first();
            }
            view.log_start = view.log_start.max(to);
            Ok(view.log_start)
        })
    }

    /// Where the log begins once what is not kept is gone: frames that are older than
    /// `oldest` in milliseconds, and the first ones while there are more than `bytes`. As
    /// with segments, what has no time is as old as the next.
    pub(crate) fn kept_from(&self, oldest: i64, bytes: Option<u64>) -> Offset {
        self.view(|view| {
            let mut start = view.log_start;
            let mut left = view.memory_bytes() as u64;
            let frames = view.tail.iter().take(view.tail.len().saturating_sub(1));
            for frame in frames {
                if bytes.is_none_or(|bytes| left <= bytes) {
                    break;
                }
                left -= memory_bytes(frame) as u64;
                start = frame.header.next_offset();
            }
            for frame in &view.tail {
                match frame.max_timestamp {
                    ..0 => {}
                    time if time < oldest => start = start.max(frame.header.next_offset()),
                    _ => break,
                }
            }
            start
        })
    }

    /// Lets go of everything: the log is deleted, and whoever still holds it must not
    /// hold its records.
    pub(crate) fn drop_all(&self) {
        self.change_view(|view| {
            while !view.tail.is_empty() {
                view.drop_first();
            }
        });
    }
}

impl View {
    fn memory_bytes(&self) -> usize {
        self.tail_bytes + self.tail.len() * FRAME_MEMORY_BYTES
    }

    fn drop_first(&mut self) {
        self.pop_tail(1);
        let first = self.tail.front().map(|frame| frame.header.base_offset);
        self.log_start = self.log_start.max(first.unwrap_or(self.end));
    }
}

fn memory_bytes(frame: &Frame) -> usize {
    frame.header.frame_bytes() + FRAME_MEMORY_BYTES
}
