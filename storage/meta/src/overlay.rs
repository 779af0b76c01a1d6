//! A database opened without a byte of it being changed.
//!
//! redb repairs and stamps a file when it opens it. What it writes goes into memory
//! here, page by page, and reads see it in place of the file's: to redb the file is
//! its own, on the disk nothing happens. It costs the memory of what is written, not
//! of a copy.

use pyralog_env::DiskFile;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const PAGE_BYTES: usize = 4096;
/// What redb may write in all. Opening one of our files takes a few kilobytes, a
/// repair as much as the file holds.
const PAGES_MAX: usize = 256 << 10;

type Page = Box<[u8; PAGE_BYTES]>;

/// A file below, and in memory what differs.
#[derive(Debug)]
pub(crate) struct Overlay {
    below: Arc<dyn DiskFile>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    len: u64,
    /// What of the file below still counts: a cut and an extension leave zeros.
    below_len: u64,
    pages: BTreeMap<u64, Page>,
}

impl Overlay {
    pub(crate) fn new(below: Arc<dyn DiskFile>) -> io::Result<Overlay> {
        let len = below.len()?;
        let state = State { len, below_len: len, pages: BTreeMap::new() };
        Ok(Overlay { below, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a page as they are below.
    fn page_below(&self, state: &State, number: u64) -> io::Result<Page> {
        let mut page: Page = Box::new([0; PAGE_BYTES]);
        let begin = number * PAGE_BYTES as u64;
        let there = state.below_len.saturating_sub(begin).min(PAGE_BYTES as u64) as usize;
        self.below.read_at(&mut page[..there], begin)?;
        Ok(page)
    }
}

/// The parts of `len` bytes at `position`: page, place in it, range of the buffer.
fn parts(position: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = position + done as u64;
        let place = (at % PAGE_BYTES as u64) as usize;
        let part = (PAGE_BYTES - place).min(len - done);
        let range = done..done + part;
        done += part;
        (part > 0).then_some((at / PAGE_BYTES as u64, place, range))
    })
}

impl DiskFile for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let state = self.state();
        let left = usize::try_from(state.len.saturating_sub(position)).unwrap_or(usize::MAX);
        let there = buffer.len().min(left);
        let buffer = &mut buffer[..there];
        buffer.fill(0);
        let below = state.below_len.saturating_sub(position).min(there as u64) as usize;
        self.below.read_at(&mut buffer[..below], position)?;
        for (number, place, range) in parts(position, there) {
            if let Some(page) = state.pages.get(&number) {
                let len = range.len();
                buffer[range].copy_from_slice(&page[place..place + len]);
            }
        }
        Ok(there)
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut state = self.state();
        for (number, place, range) in parts(position, bytes.len()) {
            if !state.pages.contains_key(&number) {
                if state.pages.len() == PAGES_MAX {
                    return Err(ErrorKind::StorageFull.into());
                }
                let page = self.page_below(&state, number)?;
                state.pages.insert(number, page);
            }
            let page = state.pages.get_mut(&number).expect("it was made above");
            page[place..place + range.len()].copy_from_slice(&bytes[range]);
        }
        state.len = state.len.max(position + bytes.len() as u64);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        if len < state.len {
            state.below_len = state.below_len.min(len);
            let last = len / PAGE_BYTES as u64;
            state.pages.retain(|number, _| *number <= last);
            if let Some(page) = state.pages.get_mut(&last) {
                page[(len % PAGE_BYTES as u64) as usize..].fill(0);
            }
        }
        state.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::sim::{SimDisk, SimEntropy};
    use pyralog_env::{Disk, Entropy};
    use std::path::Path;

    /// Whatever is done to it, it reads as a file of its own, and the one below stays.
    #[test]
    fn it_is_like_a_copy() {
        let disk = SimDisk::new(1);
        let below = disk.create(Path::new("/below")).unwrap();
        let bytes: Vec<u8> = (0..30_000u32).map(|at| at as u8 ^ (at >> 8) as u8).collect();
        below.write_all_at(&bytes, 0).unwrap();
        let (overlay, mut model) = (Overlay::new(below).unwrap(), bytes.clone());
        let chance = SimEntropy::new(3);
        let below = |most: usize| chance.next_u64() as usize % most;
        for step in 0..2_000usize {
            let (position, len) = (below(40_000), below(9_000));
            match below(8) {
                0 => {
                    model.resize(position, 0);
                    overlay.set_len(position as u64).unwrap();
                }
                1..=3 => {
                    let written = vec![step as u8; len];
                    model.resize(model.len().max(position + len), 0);
                    model[position..position + len].copy_from_slice(&written);
                    overlay.write_all_at(&written, position as u64).unwrap();
                }
                _ => {
                    let mut read = vec![7; len];
                    let there = overlay.read_at(&mut read, position as u64).unwrap();
                    let begin = position.min(model.len());
                    let expect = &model[begin..(begin + len).min(model.len())];
                    assert_eq!(&read[..there], expect, "step {step}");
                }
            }
            assert_eq!(overlay.len().unwrap(), model.len() as u64, "step {step}");
        }
        assert_eq!(disk.read_file(Path::new("/below")).unwrap(), bytes);
    }
}
