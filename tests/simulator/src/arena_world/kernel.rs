//! Mapped memory as a kernel keeps it: stores are seen at once by the process and
//! by nobody else; a dirty sector reaches the disk when the kernel likes.

use crate::chance::Chance;
use pyralog_counter::cells::{CellSource, Cells, View};
use pyralog_env::DiskFile;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const PAGE_BYTES: usize = 4096;
const PAGE_WORDS: usize = PAGE_BYTES / 8;
const SECTOR_BYTES: usize = 512;

type Page = Box<[AtomicU64; PAGE_WORDS]>;

/// The page cache of the one mapped file. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Kernel {
    file: Arc<Mutex<Option<Arc<MappedFile>>>>,
}

struct MappedFile {
    file: Arc<dyn DiskFile>,
    pages: Vec<OnceLock<Page>>,
}

impl Kernel {
    /// After a power cut nothing is left of it.
    pub(super) fn forget(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// After a kill the file shows all that was stored.
    pub(super) fn survive_kill(&self) -> io::Result<()> {
        let result = self.mapped().map_or(Ok(()), |file| file.flush());
        self.forget();
        result
    }

    /// Writes one sector of a touched page back. True if there was one.
    pub(super) fn write_back(&self, chance: &Chance) -> bool {
        let Some(file) = self.mapped() else { return false };
        let touched: Vec<usize> =
            (0..file.pages.len()).filter(|&page| file.pages[page].get().is_some()).collect();
        let Some(page) = chance.pick(&touched) else { return false };
        let bytes = file.bytes(page);
        let at = chance.below((PAGE_BYTES / SECTOR_BYTES) as u64) as usize * SECTOR_BYTES;
        let position = (page * PAGE_BYTES + at) as u64;
        // When the power is off the sector does not get there, and nobody hears.
        let _ = file.file.write_all_at(&bytes[at..at + SECTOR_BYTES], position);
        true
    }

    fn mapped(&self) -> Option<Arc<MappedFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CellSource for Kernel {
    fn open(&self, _path: &Path, file: &Arc<dyn DiskFile>) -> io::Result<Arc<dyn Cells>> {
        let pages = file.len()? as usize / PAGE_BYTES;
        let pages = (0..pages).map(|_| OnceLock::new()).collect();
        let mapped = Arc::new(MappedFile { file: Arc::clone(file), pages });
        let cells = KernelCells { mapped: Arc::clone(&mapped) };
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(mapped);
        Ok(Arc::new(cells))
    }
}

impl MappedFile {
    fn page(&self, number: usize) -> &Page {
        self.pages[number].get_or_init(|| {
            let mut bytes = [0; PAGE_BYTES];
            // A page that cannot be read would be a SIGBUS: only with the power off.
            let _ = self.file.read_at(&mut bytes, (number * PAGE_BYTES) as u64);
            let mut words = bytes.chunks_exact(8);
            Box::new(std::array::from_fn(|_| {
                let word = words.next().expect("512 words").try_into().expect("8 bytes");
                AtomicU64::new(u64::from_le_bytes(word))
            }))
        })
    }

    fn bytes(&self, page: usize) -> Vec<u8> {
        let words = self.page(page).iter();
        words.flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect()
    }

    fn flush(&self) -> io::Result<()> {
        let touched = (0..self.pages.len()).filter(|&page| self.pages[page].get().is_some());
        for page in touched {
            self.file.write_all_at(&self.bytes(page), (page * PAGE_BYTES) as u64)?;
        }
        Ok(())
    }
}

impl fmt::Debug for MappedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MappedFile({} pages)", self.pages.len())
    }
}

#[derive(Debug)]
struct KernelCells {
    mapped: Arc<MappedFile>,
}

impl Cells for KernelCells {
    fn view(&self, position: u64, bytes: usize) -> io::Result<Arc<dyn View>> {
        let first_page = position as usize / PAGE_BYTES;
        assert!(first_page + bytes / PAGE_BYTES <= self.mapped.pages.len());
        Ok(Arc::new(KernelView { mapped: Arc::clone(&self.mapped), first_page }))
    }

    fn flush(&self) -> io::Result<()> {
        self.mapped.flush()
    }

    fn kind(&self) -> &'static str {
        "simulated"
    }
}

#[derive(Debug)]
struct KernelView {
    mapped: Arc<MappedFile>,
    first_page: usize,
}

impl View for KernelView {
    fn word(&self, index: usize) -> &AtomicU64 {
        &self.mapped.page(self.first_page + index / PAGE_WORDS)[index % PAGE_WORDS]
    }
}
