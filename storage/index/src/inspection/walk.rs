//! A file of keys from front to back, across its damage.

use super::header::PphmHeader;
use super::other_crc;
use super::part::{PartOf, PphmPart};
use crate::error::io_error;
use crate::pphm::{BlockAt, DIRECTORY_ENTRY_BYTES, HEADER_BYTES};
use crate::{Entry, IndexError};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::Damage;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Goes through a file of keys, one partition in memory.
#[derive(Debug)]
pub struct PphmWalk {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    len: u64,
    header: PphmHeader,
    directory: Vec<BlockAt>,
    directory_damage: Option<Damage>,
    /// The partition that comes next.
    next: usize,
    /// Where the last block ended that could be placed.
    end: u64,
    /// Pages begin there; not known behind a block that could not be placed.
    end_is_known: bool,
    keys: u64,
    versions: u64,
    damaged: bool,
}

impl PphmWalk {
    /// Opens a file, and reads its header and its directory.
    ///
    /// # Errors
    /// The disk's own. Damage is none.
    pub fn new(disk: &dyn Disk, path: &Path) -> Result<PphmWalk, IndexError> {
        let file = disk.open(path).map_err(io_error("cannot open", path))?;
        let len = file.len().map_err(io_error("cannot measure", path))?;
        let header = PphmHeader::read(&*file, path)?;
        let mut walk = PphmWalk {
            file,
            path: path.to_owned(),
            len,
            end: len,
            end_is_known: true,
            damaged: header.damage.is_some(),
            header,
            directory: Vec::new(),
            directory_damage: None,
            next: 0,
            keys: 0,
            versions: 0,
        };
        if walk.header.leads_on(len) {
            walk.read_directory()?;
        }
        Ok(walk)
    }

    /// What the header says, and what is wrong with it.
    pub fn header(&self) -> &PphmHeader {
        &self.header
    }

    /// What is wrong with the directory of blocks as a whole.
    pub fn directory_damage(&self) -> Option<&Damage> {
        self.directory_damage.as_ref()
    }

    /// True if the header led to the directory.
    pub fn has_directory(&self) -> bool {
        !self.directory.is_empty()
    }

    /// Length of the file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.len
    }

    /// The next partition; none behind the last one, or where nothing leads on. `each`
    /// is given its versions, by hash, newest first.
    ///
    /// # Errors
    /// The disk's own.
    pub fn step(&mut self, each: &mut dyn FnMut(Entry)) -> Result<Option<PphmPart>, IndexError> {
        let Some(&at) = self.directory.get(self.next) else { return Ok(None) };
        let number = self.next;
        self.next += 1;
        let part = match self.misplaced(number, at) {
            Some(damage) => {
                self.end_is_known = false;
                PphmPart { number: number as u64, damages: vec![damage], ..PphmPart::default() }
            }
            None => {
                let pages = self.end_is_known.then_some(self.end..at.position);
                (self.end, self.end_is_known) = (at.end(), true);
                let of = PartOf { file: &self.file, path: &self.path, facts: &self.header.facts };
                of.read(number, at, pages, each)?
            }
        };
        self.keys += part.keys;
        self.versions += part.versions;
        self.damaged |= !part.damages.is_empty();
        Ok(Some(part))
    }

    /// What is wrong with the file as a whole, once every partition was walked.
    pub fn finish(&self) -> Option<Damage> {
        if self.damaged {
            // What follows from that is not told again.
            return None;
        }
        if self.end != self.len {
            let more = format!("{} more bytes", self.len - self.end);
            return Some(Damage::new(self.end..self.len, "the end of the file", more));
        }
        let said = (self.header.facts.keys, self.header.facts.versions);
        (said != (self.keys, self.versions)).then(|| {
            let count = |(keys, versions)| format!("{keys} keys with {versions} versions");
            Damage::new(64..80, count(said), count((self.keys, self.versions)))
        })
    }

    fn read_directory(&mut self) -> Result<(), IndexError> {
        let facts = &self.header.facts;
        // It ends within the file, so this is at most the file.
        let mut bytes = vec![0; facts.partitions() * DIRECTORY_ENTRY_BYTES];
        let begin = HEADER_BYTES as u64;
        self.file.read_exact_at(&mut bytes, begin).map_err(io_error("cannot read", &self.path))?;
        let (stored, computed) = (facts.directory_crc, crc_fast::crc32_iscsi(&bytes));
        self.end = facts.body_position();
        if stored != computed {
            let place = begin..self.end;
            self.directory_damage =
                Some(other_crc(place, "the directory of blocks", stored, computed));
            self.damaged = true;
        }
        self.directory = BlockAt::all(&bytes);
        Ok(())
    }

    /// That a block cannot lie where its entry says.
    fn misplaced(&mut self, number: usize, at: BlockAt) -> Option<Damage> {
        let ends = at.position.checked_add(at.bytes.into());
        if at.position >= self.end && ends.is_some_and(|end| end <= self.len) {
            return None;
        }
        let entry = (HEADER_BYTES + number * DIRECTORY_ENTRY_BYTES) as u64;
        let (begin, end) = (self.end, self.len);
        Some(Damage::new(
            entry..entry + DIRECTORY_ENTRY_BYTES as u64,
            format!("a block between bytes {begin} and {end}"),
            format!("one of {} bytes at {}", at.bytes, at.position),
        ))
    }
}
