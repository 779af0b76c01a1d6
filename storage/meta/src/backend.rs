//! redb's storage on one file of our disk.

use pyralog_env::DiskFile;
use redb::StorageBackend;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the disk has answered since the file was opened. Kept beside redb,
/// which wraps an error as it likes and afterwards only says that there was one.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    no_room: AtomicBool,
    failed: AtomicBool,
}

impl Answers {
    /// A write found no room, and nothing else has ever failed.
    pub(crate) fn only_no_room(&self) -> bool {
        self.no_room.load(Ordering::Acquire) && !self.failed.load(Ordering::Acquire)
    }

    fn of_write<T>(&self, answer: io::Result<T>) -> io::Result<T> {
        match &answer {
            Err(error) if is_no_room(error) => self.no_room.store(true, Ordering::Release),
            _ => return self.of_other(answer),
        }
        answer
    }

    /// Even "no room" is final when a sync says it: pages are lost by then.
    fn of_other<T>(&self, answer: io::Result<T>) -> io::Result<T> {
        if answer.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        answer
    }
}

/// True for the answers that pass when space returns.
pub(crate) fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// A file as redb wants it. Locks keep redb's default, which has none: the data
/// directory is locked as a whole, and one process opens each file once.
#[derive(Debug)]
pub(crate) struct DiskBackend {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) answers: Arc<Answers>,
}

impl StorageBackend for DiskBackend {
    fn len(&self) -> io::Result<u64> {
        self.answers.of_other(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.answers.of_other(self.file.read_exact_at(out, offset))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.answers.of_write(self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.answers.of_other(self.file.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.answers.of_write(self.file.write_all_at(data, offset))
    }
}
