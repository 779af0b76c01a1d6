//! One open file of the kernel.

use super::mapping::RealMapping;
use crate::{DiskFile, FileMapping};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A file descriptor behind the positioned calls of `DiskFile`.
#[derive(Debug)]
pub(super) struct RealFile {
    file: File,
}

impl RealFile {
    pub(super) fn new(file: File) -> RealFile {
        RealFile { file }
    }
}

impl DiskFile for RealFile {
    fn map(&self) -> io::Result<Option<Arc<dyn FileMapping>>> {
        let mapping = RealMapping::of(&self.file)?;
        Ok(mapping.map(|mapping| Arc::new(mapping) as Arc<dyn FileMapping>))
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut filled = 0;
        // The kernel may give less than there is; the trait promises not to.
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], position + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, position)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn next_data(&self, position: u64) -> io::Result<Option<u64>> {
        match seek(&self.file, SeekFrom::Data(position)) {
            Ok(data) => Ok(Some(data)),
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                Ok(Some(position).filter(|position| self.len().is_ok_and(|len| *position < len)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_passed_over() {
        let file = RealFile::new(tempfile::tempfile().unwrap());
        file.set_len(1 << 40).unwrap();
        file.write_all_at(b"far", 1 << 30).unwrap();
        let data = file.next_data(0).unwrap().unwrap();
        // Where the file system does not tell, the answer is the position itself.
        assert!(data <= 1 << 30, "{data}");
        assert_eq!(file.next_data((1 << 30) + 1).unwrap(), Some((1 << 30) + 1));
        assert_eq!(file.next_data(1 << 40).unwrap(), None);
    }
}
