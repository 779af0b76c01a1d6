//! The versions of one key, newest first (drawn in [`super`]).

use super::block::Found;
use super::pages::{PageError, PageReader};
use super::{Facts, Pphm};
use crate::error::io_error;
use crate::{IndexError, Version, varint};
use pyralog_model::Offset;
use std::sync::Arc;

/// A version as a row keeps it: the offset since the base, then a bit for a tombstone.
pub(super) fn packed(version: &Version, base: Offset) -> u64 {
    (version.offset.0 - base.0) << 1 | u64::from(version.tombstone)
}

/// The inverse of [`packed`].
pub(crate) fn unpacked(packed: u64, base: Offset) -> Version {
    Version::at(Offset(base.0.saturating_add(packed >> 1)), packed & 1 == 1)
}

/// Appends one version of a list. `before` is the offset of the one before it.
pub(super) fn write(
    version: &Version,
    before: Option<Offset>,
    base: Offset,
    last: bool,
    wide: bool,
    bytes: &mut Vec<u8>,
) {
    let distance = match before {
        Some(before) => before.0 - version.offset.0,
        None => version.offset.0 - base.0,
    };
    let head = distance << 2 | u64::from(version.tombstone) << 1 | u64::from(last);
    varint::write(head, bytes);
    if wide {
        varint::write(varint::fold_sign(version.rank), bytes);
        bytes.extend_from_slice(&version.check.to_le_bytes());
    }
}

/// A list being read.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) pages: PageReader,
    before: Option<Offset>,
    done: bool,
}

impl List {
    pub(crate) fn new(pages: PageReader) -> List {
        List { pages, before: None, done: false }
    }

    /// Ready for the list that follows.
    pub(crate) fn rewind(&mut self) {
        (self.before, self.done) = (None, false);
    }

    pub(super) fn next(&mut self, pphm: &Pphm) -> Result<Option<Version>, IndexError> {
        self.step(pphm.facts()).map_err(|error| match error {
            PageError::Disk(error) => io_error("cannot read", pphm.path())(error),
            PageError::Damaged { position, what } => pphm.damaged(position, what),
        })
    }

    /// The next version, in a file of which this is known.
    pub(crate) fn step(&mut self, facts: &Facts) -> Result<Option<Version>, PageError> {
        if self.done {
            return Ok(None);
        }
        let version = self.read(facts)?;
        self.before = Some(version.offset);
        Ok(Some(version))
    }

    fn read(&mut self, facts: &Facts) -> Result<Version, PageError> {
        let head = self.number()?;
        let (distance, tombstone) = (head >> 2, head >> 1 & 1 == 1);
        let range = &facts.spec.range;
        let offset = match self.before {
            Some(before) if distance > 0 => before.0.checked_sub(distance),
            Some(_) => None,
            None => range.start.0.checked_add(distance),
        };
        let offset = offset.map(Offset).filter(|offset| range.contains(offset));
        let offset = offset.ok_or(self.pages.damaged("a version lies outside of the file"))?;
        self.done = head & 1 == 1;
        let mut version = Version::at(offset, tombstone);
        if facts.wide {
            version.rank = varint::unfold_sign(self.number()?);
            let mut check = [0; 8];
            for byte in &mut check {
                *byte = self.pages.next()?;
            }
            version.check = u64::from_le_bytes(check);
        }
        Ok(version)
    }

    fn number(&mut self) -> Result<u64, PageError> {
        let number = varint::read(|| self.pages.next())?;
        number.ok_or(self.pages.damaged("a number is longer than it may be"))
    }
}

/// Iterates over the versions of one key, newest first. Ends after an error.
#[derive(Debug)]
pub struct Versions {
    pphm: Arc<Pphm>,
    hash: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Begin,
    /// The newest was given; its list was not opened.
    Older(Found),
    Listed(List),
    Done,
}

impl Versions {
    pub(super) fn new(pphm: Arc<Pphm>, hash: u64) -> Versions {
        Versions { pphm, hash, state: State::Begin }
    }

    fn step(&mut self) -> Result<Option<Version>, IndexError> {
        match &mut self.state {
            State::Begin => match self.pphm.find(self.hash)? {
                Some(found) => self.first(found),
                None => Ok(None),
            },
            State::Older(found) => {
                let found = *found;
                let list = self.open(found)?;
                self.state = State::Listed(list);
                self.step()
            }
            State::Listed(list) => list.next(&self.pphm),
            State::Done => Ok(None),
        }
    }

    fn first(&mut self, found: Found) -> Result<Option<Version>, IndexError> {
        let facts = self.pphm.facts();
        let newest = unpacked(found.newest, facts.spec.range.start);
        match found.list {
            None => self.state = State::Done,
            Some(_) if facts.wide => {
                // Rank and check are in the list alone.
                let mut list = self.list(found)?;
                let first = list.next(&self.pphm)?;
                self.state = State::Listed(list);
                return Ok(first);
            }
            Some(_) => self.state = State::Older(found),
        }
        Ok(Some(newest))
    }

    /// The list, past its first version, which is the one that was found.
    fn open(&self, found: Found) -> Result<List, IndexError> {
        let mut list = self.list(found)?;
        let first = list.next(&self.pphm)?;
        let newest = unpacked(found.newest, self.pphm.facts().spec.range.start);
        if first != Some(newest) {
            return Err(self.pphm.damaged(0, "a list does not begin with the newest version"));
        }
        Ok(list)
    }

    fn list(&self, found: Found) -> Result<List, IndexError> {
        let pages = self.pphm.pages_of(self.pphm.partition_of(self.hash));
        let position = found.list.unwrap_or_default();
        Ok(List::new(PageReader::new(self.pphm.file()?, pages, position, self.pphm.planted)))
    }
}

impl Iterator for Versions {
    type Item = Result<Version, IndexError>;

    fn next(&mut self) -> Option<Result<Version, IndexError>> {
        let next = self.step().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.state = State::Done;
        }
        next
    }
}
