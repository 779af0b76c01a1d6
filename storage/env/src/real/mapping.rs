//! A file as memory. The one file of this crate with `unsafe`.
//!
//! What could go wrong with mapped files, and why it does not here: memory that
//! changes under a reference to it, but only bytes that nobody changes any more are
//! asked for; a file that is cut shorter, but not by what is asked for, and a
//! mapping outlives the file's name; and a disk that cannot give a page, which would be a
//! SIGBUS at the first touch. So pages are asked for by a call before they are
//! touched, and the call says what the disk said. A page that is evicted between the
//! two is read once more from a disk that has just given it.
#![allow(unsafe_code)]

use crate::FileMapping;
use memmap2::{Advice, Mmap};
use std::fs::File;
use std::io;
use std::ops::Range;

/// All of a file, as long as it was when it was mapped.
#[derive(Debug)]
pub(super) struct RealMapping(Mmap);

impl RealMapping {
    /// `None` where files cannot be mapped, or pages not be asked for (before Linux 5.14).
    pub(super) fn of(file: &File) -> io::Result<Option<RealMapping>> {
        if file.metadata()?.len() == 0 {
            return Ok(None);
        }
        // SAFETY: references are made to bytes only of which the caller promises that they
        // are neither changed nor cut off (`DiskFile::map`); nobody else may do that: the
        // data directory is locked.
        let Ok(map) = (unsafe { Mmap::map(file) }) else { return Ok(None) };
        // Readers want one record here and one there.
        let can_ask = map.advise(Advice::Random).is_ok()
            && map.advise_range(Advice::PopulateRead, 0, 1).is_ok();
        Ok(can_ask.then_some(RealMapping(map)))
    }
}

impl FileMapping for RealMapping {
    fn bytes(&self, range: Range<u64>) -> io::Result<&[u8]> {
        let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let from = usize::try_from(range.start).map_err(|_| end())?;
        let to = usize::try_from(range.end).map_err(|_| end())?;
        let bytes = self.0.get(from..to).ok_or_else(end)?;
        self.0.advise_range(Advice::PopulateRead, from, to - from)?;
        Ok(bytes)
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use crate::{Disk, RealDisk};

    #[test]
    fn a_mapping_is_what_was_written_and_ends_where_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let file = RealDisk.create(&path).unwrap();
        assert!(file.map().unwrap().is_none(), "nothing to map");
        let bytes: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
        file.write_all_at(&bytes, 0).unwrap();
        let Some(mapping) = file.map().unwrap() else { return };
        assert_eq!(mapping.bytes(4_090..9_999).unwrap(), &bytes[4_090..9_999]);
        assert!(mapping.bytes(9_000..10_001).is_err());
        RealDisk.remove_file(&path).unwrap();
        assert_eq!(mapping.bytes(0..10_000).unwrap(), bytes);
    }
}
