//! The arena: its header and its counters.

use super::EntryCopy;
use crate::arena::{Bad, GROUP, Header, Layout, slot_at};
use crate::copies::{Block, read_pair};
use crate::entry::{ENTRY_BYTES, Kept};
use crate::error::CounterError;
use pyralog_env::DiskFile;
use pyralog_model::{CounterNumber, StoreId};
use std::collections::VecDeque;
use std::path::Path;

/// What a whole header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaHeader {
    /// Whose it is.
    pub store: StoreId,
    /// Length of the file in bytes.
    pub file_bytes: u64,
    /// How many counters have slots.
    pub counters_max: u64,
    /// Of two copies the greater one counts.
    pub seq: u64,
    /// Starts so far.
    pub incarnation: u64,
    /// Values of this start and those before it are not believed.
    pub unclean: u64,
    /// The last start has ended cleanly.
    pub closed: bool,
}

/// One of the two copies of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderCopy {
    /// It is whole.
    Whole(ArenaHeader),
    /// It is no header, or damaged.
    Damaged,
    /// A newer program has written it, of this version.
    Newer(u16),
}

/// A counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArenaCounter {
    /// Its number.
    pub number: CounterNumber,
    /// Where its entry is in the first copy of the durable block, in bytes from the
    /// beginning of the file; the second one is 4,096 bytes further.
    pub position: u64,
    /// Both copies of its entry.
    pub copies: [EntryCopy; 2],
    /// The greatest seq in each copy of its block, which were written whole.
    pub block_seqs: [u64; 2],
    /// No value above it was ever issued; none if both copies are damaged.
    pub bound: Option<u64>,
    /// The start that raised the bound.
    pub incarnation: u64,
    /// The last value issued, as the mapping was written to the file.
    pub slot: u64,
    /// The next start goes on after this value; none if it refuses the counter.
    pub resumes_after: Option<u64>,
}

/// Goes through the counters of an arena, by number.
pub struct ArenaWalk<'a> {
    file: &'a dyn DiskFile,
    path: &'a Path,
    copies: [HeaderCopy; 2],
    header: Option<ArenaHeader>,
    layout: Layout,
    position: u64,
    waiting: VecDeque<ArenaCounter>,
}

impl<'a> ArenaWalk<'a> {
    /// Reads both headers. Without a whole one there are no counters to go through.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn new(file: &'a dyn DiskFile, path: &'a Path) -> Result<ArenaWalk<'a>, CounterError> {
        let pair = read_pair(file, 0).map_err(CounterError::io(path, "read"))?;
        let copies = pair.each_ref().map(header_copy);
        let whole = copies.iter().filter_map(|copy| match copy {
            HeaderCopy::Whole(header) => Some(*header),
            _ => None,
        });
        let header = whole.max_by_key(|header| header.seq);
        let layout = Layout { file_bytes: header.map_or(0, |header| header.file_bytes) };
        let (position, waiting) = (layout.durable_at(), VecDeque::new());
        Ok(ArenaWalk { file, path, copies, header, layout, position, waiting })
    }

    /// Both copies of the header.
    pub fn copies(&self) -> [HeaderCopy; 2] {
        self.copies
    }

    /// The copy that counts, if one is whole.
    pub fn header(&self) -> Option<ArenaHeader> {
        self.header
    }

    /// The next counter; none after the last one.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn step(&mut self) -> Result<Option<ArenaCounter>, CounterError> {
        let Some(header) = self.header else { return Ok(None) };
        loop {
            if let Some(counter) = self.waiting.pop_front() {
                return Ok(Some(counter));
            }
            let fail = CounterError::io(self.path, "read");
            let Some(data) = self.file.next_data(self.position).map_err(fail)? else {
                return Ok(None);
            };
            let group = (data - self.layout.durable_at()) / self.layout.pair_bytes();
            if group * GROUP >= self.layout.counters_max() {
                return Ok(None);
            }
            self.position = self.layout.pair_at(group + 1);
            self.read_group(&header, group)?;
        }
    }

    fn read_group(&mut self, header: &ArenaHeader, group: u64) -> Result<(), CounterError> {
        let begin = self.layout.pair_at(group);
        let pair = read_pair(self.file, begin).map_err(CounterError::io(self.path, "read"))?;
        let decoded = pair.each_ref().map(|block| entries(block, header.store, group));
        let block_seqs = decoded
            .each_ref()
            .map(|entries| entries.iter().filter_map(|kept| kept.seq()).max().unwrap_or_default());
        for place in 0..GROUP as usize {
            let [first, second] = decoded.each_ref().map(|entries| entries[place]);
            let later = first.later(second);
            let exists = match later {
                Kept::Empty => false,
                Kept::Damaged => true,
                Kept::Entry(entry) => entry.created,
            };
            if !exists {
                continue;
            }
            let number = CounterNumber(group * GROUP + place as u64);
            let slot = self.slot(number)?;
            let (bound, incarnation) = match later {
                Kept::Entry(entry) => (Some(entry.bound), entry.incarnation),
                _ => (None, 0),
            };
            // What the next start will call the last unclean one.
            let unclean = if header.closed { header.unclean } else { header.incarnation };
            let resumes_after = bound.map(|bound| {
                let believed = incarnation > unclean && slot <= bound;
                if believed { slot } else { bound }
            });
            self.waiting.push_back(ArenaCounter {
                number,
                position: begin + (place * ENTRY_BYTES) as u64,
                copies: [first, second].map(EntryCopy::of),
                block_seqs,
                bound,
                incarnation,
                slot,
                resumes_after,
            });
        }
        Ok(())
    }

    fn slot(&self, number: CounterNumber) -> Result<u64, CounterError> {
        let mut bytes = [0; 8];
        let read = self.file.read_at(&mut bytes, slot_at(number));
        read.map_err(CounterError::io(self.path, "read"))?;
        Ok(u64::from_le_bytes(bytes))
    }
}

fn entries(block: &Block, store: StoreId, group: u64) -> Vec<Kept> {
    let entries = block.chunks_exact(ENTRY_BYTES).enumerate();
    let decode = |(at, bytes)| Kept::decode(bytes, store, group * GROUP + at as u64);
    entries.map(decode).collect()
}

/// A copy by itself: whose it is, it says itself.
fn header_copy(block: &Block) -> HeaderCopy {
    let store = StoreId(u128::from_le_bytes(block[16..32].try_into().expect("16 bytes")));
    match Header::decode(block, store) {
        Ok(header) => HeaderCopy::Whole(ArenaHeader {
            store,
            file_bytes: header.layout.file_bytes,
            counters_max: header.layout.counters_max(),
            seq: header.seq,
            incarnation: header.incarnation,
            unclean: header.unclean,
            closed: header.closed,
        }),
        Err(Bad::Newer(version)) => HeaderCopy::Newer(version),
        Err(Bad::Damaged | Bad::OtherStore) => HeaderCopy::Damaged,
    }
}
