//! redb's storage on one file of our disk.

use pyralog_env::DiskFile;
use redb::StorageBackend;
use std::io;
use std::sync::Arc;

/// A file as redb wants it. Locks keep redb's default, which has none: the data
/// directory is locked as a whole, and one process opens each file once.
#[derive(Debug)]
pub(crate) struct DiskBackend {
    pub(crate) file: Arc<dyn DiskFile>,
}

impl StorageBackend for DiskBackend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }
}
