//! Cells in plain memory, written to the file by `flush` only: for file systems
//! on which a mapped store may find no space, and for simulated disks.

use super::{CellSource, Cells, View};
use pyralog_env::DiskFile;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps every view that was ever asked for, up to `flush` and beyond.
#[derive(Debug, Clone, Copy, Default)]
pub struct BufferedSource;

impl CellSource for BufferedSource {
    fn open(&self, _path: &Path, file: &Arc<dyn DiskFile>) -> io::Result<Arc<dyn Cells>> {
        Ok(Arc::new(BufferedCells { file: Arc::clone(file), pages: Mutex::default() }))
    }
}

/// Pages, not views: most of a view is of counters that are never touched.
const PAGE_BYTES: usize = 4096;
const PAGE_WORDS: usize = PAGE_BYTES / 8;

type Page = Arc<[AtomicU64; PAGE_WORDS]>;

#[derive(Debug)]
struct BufferedCells {
    file: Arc<dyn DiskFile>,
    /// By number from the beginning of the file.
    pages: Mutex<BTreeMap<u64, Page>>,
}

impl BufferedCells {
    fn page(&self, pages: &mut BTreeMap<u64, Page>, number: u64) -> io::Result<Page> {
        if let Some(page) = pages.get(&number) {
            return Ok(Arc::clone(page));
        }
        let mut bytes = [0; PAGE_BYTES];
        self.file.read_exact_at(&mut bytes, number * PAGE_BYTES as u64)?;
        let word = |index: usize| {
            let bytes = bytes[index * 8..index * 8 + 8].try_into().expect("8 bytes");
            AtomicU64::new(u64::from_le_bytes(bytes))
        };
        let page: Page = Arc::new(std::array::from_fn(word));
        pages.insert(number, Arc::clone(&page));
        Ok(page)
    }
}

impl Cells for BufferedCells {
    fn view(&self, position: u64, bytes: usize) -> io::Result<Arc<dyn View>> {
        assert!(position.is_multiple_of(4096) && bytes.is_multiple_of(PAGE_BYTES));
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let first = position / PAGE_BYTES as u64;
        let numbers = first..first + (bytes / PAGE_BYTES) as u64;
        let pages: io::Result<Vec<Page>> =
            numbers.map(|number| self.page(&mut pages, number)).collect();
        Ok(Arc::new(BufferedView { pages: pages? }))
    }

    fn flush(&self) -> io::Result<()> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, page) in pages.iter() {
            let mut bytes = Vec::with_capacity(PAGE_BYTES);
            for word in page.iter() {
                bytes.extend_from_slice(&word.load(Ordering::Acquire).to_le_bytes());
            }
            // A page of zeros is a hole, or was written when its first counter was.
            if bytes.iter().any(|&byte| byte != 0) {
                self.file.write_all_at(&bytes, number * PAGE_BYTES as u64)?;
            }
        }
        Ok(())
    }

    fn kind(&self) -> &'static str {
        "buffered"
    }
}

#[derive(Debug)]
struct BufferedView {
    pages: Vec<Page>,
}

impl View for BufferedView {
    fn word(&self, index: usize) -> &AtomicU64 {
        &self.pages[index / PAGE_WORDS][index % PAGE_WORDS]
    }
}
