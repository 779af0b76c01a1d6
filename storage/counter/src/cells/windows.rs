//! The slots in windows: views made on demand, the least recently used dropped.
//!
//! Dropping a view loses nothing (F13): the words stay in the file, and a handle
//! that is still held keeps its own view.

use super::{Cells, View};
use std::io;
use std::sync::Arc;

/// 4,096 slots of 64 bytes.
pub(crate) const WINDOW_BYTES: u64 = 256 << 10;
/// 16 MiB of slots in memory at the most, whatever was touched.
const WINDOWS_MAX: usize = 64;

/// The views of the slots of one file.
#[derive(Debug)]
pub(crate) struct Windows {
    cells: Arc<dyn Cells>,
    /// Where slots begin and end in the file.
    begin: u64,
    end: u64,
    /// The last one used is at the end.
    kept: Vec<(u64, Arc<dyn View>)>,
}

impl Windows {
    pub(crate) fn new(cells: Arc<dyn Cells>, begin: u64, end: u64) -> Windows {
        Windows { cells, begin, end, kept: Vec::new() }
    }

    /// The view with the byte at `position`, and where in it that is, in words.
    pub(crate) fn find(&mut self, position: u64) -> io::Result<(Arc<dyn View>, usize)> {
        assert!((self.begin..self.end).contains(&position), "{position} is not in a slot");
        let window = (position - self.begin) / WINDOW_BYTES;
        let start = self.begin + window * WINDOW_BYTES;
        let word = ((position - start) / 8) as usize;
        if let Some(at) = self.kept.iter().rposition(|(number, _)| *number == window) {
            self.kept[at..].rotate_left(1);
        } else {
            let bytes = WINDOW_BYTES.min(self.end - start) as usize;
            let view = self.cells.view(start, bytes)?;
            if self.kept.len() == WINDOWS_MAX {
                self.kept.remove(0);
            }
            self.kept.push((window, view));
        }
        let (_, view) = self.kept.last().expect("one was just used");
        Ok((Arc::clone(view), word))
    }
}
