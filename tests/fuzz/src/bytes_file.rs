//! A file that is some bytes, and cannot be written.

use pyralog_env::DiskFile;
use std::io::{self, ErrorKind};

/// Bytes as a file.
#[derive(Debug)]
pub struct BytesFile(pub Vec<u8>);

impl DiskFile for BytesFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let begin = usize::try_from(position).unwrap_or(usize::MAX).min(self.0.len());
        let read = buffer.len().min(self.0.len() - begin);
        buffer[..read].copy_from_slice(&self.0[begin..begin + read]);
        Ok(read)
    }

    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
}
