//! Counters by number and by name, compact and cheap to copy.
//!
//! There may be millions, and whoever publishes a directory copies it at each
//! command. So rows are kept in chunks that copies share, names lie one behind
//! the other in their chunk, and the index by name holds hashes and places only.
//! A new counter copies one chunk and one shard of the index.

use crate::entry::CounterEntry;
use pyralog_model::{CounterMode, CounterName, CounterNumber};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The most counters of users that a cluster has.
pub const COUNTERS_MAX: u32 = 1 << 24;

/// Rows of one chunk.
const CHUNK_ROWS: usize = 256;
/// Parts of the index by name.
const SHARDS: usize = 1024;

/// Rows in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    /// All names, without anything between them.
    names: String,
    /// The bytes of each name.
    lengths: Vec<u8>,
    modes: Vec<CounterMode>,
}

impl Chunk {
    fn name(&self, row: usize) -> &str {
        let start = self.lengths[..row].iter().map(|&length| usize::from(length)).sum();
        &self.names[start..start + usize::from(self.lengths[row])]
    }

    fn names(&self) -> impl Iterator<Item = Option<&str>> {
        let mut rest = self.names.as_str();
        self.lengths.iter().map(move |&length| {
            let (name, after) = rest.split_at_checked(usize::from(length))?;
            rest = after;
            Some(name)
        })
    }
}

/// Hash and row, sorted.
type Shard = Arc<Vec<(u32, u32)>>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    chunks: Arc<Vec<Arc<Chunk>>>,
    /// By the hash's first bits. Empty before the first row.
    index: Arc<Vec<Shard>>,
}

impl Counters {
    pub(crate) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK_ROWS + last.modes.len())
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let hash = hash(name);
        let shard = self.index.get(shard_of(hash))?;
        let from = shard.partition_point(|(other, _)| *other < hash);
        let same = shard[from..].iter().take_while(|(other, _)| *other == hash);
        same.map(|(_, row)| *row as usize)
            .find(|row| self.chunks[row / CHUNK_ROWS].name(row % CHUNK_ROWS) == name)
    }

    pub(crate) fn mode(&self, row: usize) -> Option<CounterMode> {
        self.chunks.get(row / CHUNK_ROWS)?.modes.get(row % CHUNK_ROWS).copied()
    }

    pub(crate) fn entry(&self, row: usize) -> Option<CounterEntry> {
        let mode = self.mode(row)?;
        let name = self.chunks[row / CHUNK_ROWS].name(row % CHUNK_ROWS);
        let name = name.parse().expect("names were checked when they came in");
        Some(CounterEntry { number: number_of(row), name, mode })
    }

    /// Adds a counter whose name is not there, below `COUNTERS_MAX`.
    pub(crate) fn push(&mut self, name: &CounterName, mode: CounterMode) -> CounterNumber {
        let (row, text) = (self.len(), name.as_str());
        let chunks = Arc::make_mut(&mut self.chunks);
        if row.is_multiple_of(CHUNK_ROWS) {
            chunks.push(Arc::default());
        }
        let chunk = Arc::make_mut(&mut chunks[row / CHUNK_ROWS]);
        chunk.names.push_str(text);
        chunk.lengths.push(u8::try_from(text.len()).expect("names have at most 249 bytes"));
        chunk.modes.push(mode);
        let index = Arc::make_mut(&mut self.index);
        index.resize(SHARDS, Arc::default());
        let place = (hash(text), row as u32);
        let shard = Arc::make_mut(&mut index[shard_of(place.0)]);
        shard.insert(shard.partition_point(|other| *other < place), place);
        number_of(row)
    }

    /// The rows for a snapshot.
    pub(crate) fn chunks(&self) -> Vec<Arc<Chunk>> {
        self.chunks.to_vec()
    }

    /// From the rows of a snapshot; what contradicts itself there, if anything does.
    pub(crate) fn restore(chunks: Vec<Chunk>) -> Result<Counters, &'static str> {
        let full = |chunk: &Chunk| chunk.modes.len() == CHUNK_ROWS;
        let filled = chunks.split_last().is_none_or(|(last, others)| {
            others.iter().all(full) && (1..=CHUNK_ROWS).contains(&last.modes.len())
        });
        if !filled || chunks.len() > COUNTERS_MAX as usize / CHUNK_ROWS {
            return Err("counters in chunks of another size");
        }
        let mut index = vec![Vec::new(); if chunks.is_empty() { 0 } else { SHARDS }];
        for (place, chunk) in chunks.iter().enumerate() {
            let bytes: usize = chunk.lengths.iter().map(|&length| usize::from(length)).sum();
            if chunk.lengths.len() != chunk.modes.len() || bytes != chunk.names.len() {
                return Err("counters without names, or names without counters");
            }
            for (row, name) in chunk.names().enumerate() {
                let name = name.filter(|name| name.parse::<CounterName>().is_ok());
                let hash = hash(name.ok_or("a counter's name that cannot be")?);
                index[shard_of(hash)].push((hash, (place * CHUNK_ROWS + row) as u32));
            }
        }
        index.iter_mut().for_each(|shard| shard.sort_unstable());
        let counters = Counters {
            chunks: Arc::new(chunks.into_iter().map(Arc::new).collect()),
            index: Arc::new(index.into_iter().map(Arc::new).collect()),
        };
        if counters.has_twins() { Err("two counters with one name") } else { Ok(counters) }
    }

    /// Only equal hashes can be equal names.
    fn has_twins(&self) -> bool {
        let name = |row: u32| {
            let row = row as usize;
            self.chunks[row / CHUNK_ROWS].name(row % CHUNK_ROWS)
        };
        self.index.iter().any(|shard| {
            shard.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1).any(|same| {
                let mut names: Vec<&str> = same.iter().map(|(_, row)| name(*row)).collect();
                names.sort_unstable();
                names.windows(2).any(|pair| pair[0] == pair[1])
            })
        })
    }
}

fn number_of(row: usize) -> CounterNumber {
    CounterNumber(CounterNumber::FIRST_OF_USERS.0 + row as u64)
}

/// The row of a counter of a user.
pub(crate) fn row_of(number: CounterNumber) -> Option<usize> {
    usize::try_from(number.0.checked_sub(CounterNumber::FIRST_OF_USERS.0)?).ok()
}

fn shard_of(hash: u32) -> usize {
    hash as usize >> (u32::BITS - SHARDS.ilog2())
}

/// FNV-1a, folded. Only this process sees it, so it may change; but equal
/// directories must have equal indexes, so it has no seed.
fn hash(name: &str) -> u32 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The last bytes reach the high bits only by mixing.
    ((hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
