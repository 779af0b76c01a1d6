//! Pages: where the versions of keys with several of them lie (drawn in [`super`]).
//!
//! They are cut into 4,096 bytes with a checksum each, so that the newest few of a
//! million versions cost one small read. A position in them counts payload alone, so a
//! list runs from page to page as if there were none.

use super::{Output, Spec};
use crate::mutation::Planted;
use crate::{IndexError, Mutation};
use pyralog_env::DiskFile;
use std::ops::Range;
use std::sync::Arc;

pub(crate) const PAGE_BYTES: usize = 4096;
pub(crate) const CRC_BYTES: usize = 4;
const PAYLOAD_BYTES: usize = PAGE_BYTES - CRC_BYTES;

/// The place of one partition's pages.
#[derive(Debug, Clone)]
pub(crate) struct PagesOf {
    /// What no page of another file or partition begins its checksum with.
    key: [u8; 36],
    /// Bytes of the file.
    place: Range<u64>,
}

impl PagesOf {
    pub(crate) fn new(spec: &Spec, partition: usize, place: Range<u64>) -> PagesOf {
        let mut key = [0; 36];
        key[..16].copy_from_slice(&spec.of.store.0.to_le_bytes());
        key[16..24].copy_from_slice(&spec.range.start.0.to_le_bytes());
        key[24..32].copy_from_slice(&spec.range.end.0.to_le_bytes());
        key[32..].copy_from_slice(&(partition as u32).to_le_bytes());
        PagesOf { key, place }
    }

    /// Reads every page.
    #[cfg(test)]
    pub(crate) fn verify(&self, file: &Arc<dyn DiskFile>) -> Result<(), PageError> {
        let pages = (self.place.end - self.place.start).div_ceil(PAGE_BYTES as u64);
        (0..pages).try_for_each(|page| {
            let position = page * PAYLOAD_BYTES as u64;
            let planted = Planted::default();
            PageReader::new(Arc::clone(file), self.clone(), position, planted).next().map(drop)
        })
    }

    pub(crate) fn crc(&self, page: u64, payload: &[u8]) -> [u8; CRC_BYTES] {
        let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
        digest.update(&self.key);
        digest.update(&page.to_le_bytes());
        digest.update(payload);
        (digest.finalize() as u32).to_le_bytes()
    }
}

/// Pages in the making.
#[derive(Debug)]
pub(crate) struct PageWriter {
    of: PagesOf,
    payload: Vec<u8>,
    pages: u64,
}

impl PageWriter {
    pub(crate) fn new(of: PagesOf) -> PageWriter {
        PageWriter { of, payload: Vec::new(), pages: 0 }
    }

    /// Where the next byte goes.
    pub(crate) fn position(&self) -> u64 {
        self.pages * PAYLOAD_BYTES as u64 + self.payload.len() as u64
    }

    /// What is being written; then [`PageWriter::flush_full`].
    pub(crate) fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.payload
    }

    pub(crate) fn flush_full(&mut self, output: &mut Output) -> Result<(), IndexError> {
        while self.payload.len() >= PAYLOAD_BYTES {
            self.write_page(PAYLOAD_BYTES, output)?;
        }
        Ok(())
    }

    /// Writes the last page, which may be short.
    pub(crate) fn finish(mut self, output: &mut Output) -> Result<(), IndexError> {
        self.flush_full(output)?;
        if self.payload.is_empty() {
            return Ok(());
        }
        self.write_page(self.payload.len(), output)
    }

    fn write_page(&mut self, len: usize, output: &mut Output) -> Result<(), IndexError> {
        output.write(&self.of.crc(self.pages, &self.payload[..len]))?;
        output.write(&self.payload[..len])?;
        self.payload.drain(..len);
        self.pages += 1;
        Ok(())
    }
}

/// Why a page cannot be read.
#[derive(Debug)]
pub(crate) enum PageError {
    Disk(std::io::Error),
    Damaged { position: u64, what: &'static str },
}

/// Reads payload from a position on, a page at a time.
#[derive(Debug)]
pub(crate) struct PageReader {
    file: Arc<dyn DiskFile>,
    of: PagesOf,
    /// The page in memory, with its checksum in front; empty before the first.
    page: Vec<u8>,
    number: u64,
    /// In `page`.
    at: usize,
    planted: Planted,
}

impl PageReader {
    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        of: PagesOf,
        position: u64,
        planted: Planted,
    ) -> PageReader {
        let (number, at) = (position / PAYLOAD_BYTES as u64, position % PAYLOAD_BYTES as u64);
        PageReader { file, of, page: Vec::new(), number, at: at as usize + CRC_BYTES, planted }
    }

    /// The position of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.number * PAYLOAD_BYTES as u64 + (self.at - CRC_BYTES) as u64
    }

    pub(crate) fn next(&mut self) -> Result<u8, PageError> {
        if self.page.is_empty() {
            self.load()?;
        } else if self.at == PAGE_BYTES {
            self.number += 1;
            self.at = CRC_BYTES;
            self.load()?;
        }
        let byte = self.page.get(self.at).copied();
        let byte = byte.ok_or(self.damaged("a list runs past the end of its pages"))?;
        self.at += 1;
        Ok(byte)
    }

    fn load(&mut self) -> Result<(), PageError> {
        let begin = self.number.checked_mul(PAGE_BYTES as u64);
        let begin = begin.and_then(|begin| begin.checked_add(self.of.place.start));
        let left = begin.and_then(|begin| self.of.place.end.checked_sub(begin));
        let (Some(begin), Some(left)) = (begin, left) else {
            return Err(self.damaged("a list begins past the end of its pages"));
        };
        let len = left.min(PAGE_BYTES as u64) as usize;
        if len <= CRC_BYTES {
            return Err(self.damaged("a list begins past the end of its pages"));
        }
        self.page.resize(len, 0);
        self.file.read_exact_at(&mut self.page, begin).map_err(PageError::Disk)?;
        let (crc, payload) = self.page.split_at(CRC_BYTES);
        let intact = self.of.crc(self.number, payload) == *crc;
        if !intact && !self.planted.is(Mutation::PageNotVerified) {
            return Err(self.damaged("a page of versions fails its checksum"));
        }
        Ok(())
    }

    pub(crate) fn damaged(&self, what: &'static str) -> PageError {
        let position = self.number.saturating_mul(PAGE_BYTES as u64);
        PageError::Damaged { position: self.of.place.start.saturating_add(position), what }
    }
}
