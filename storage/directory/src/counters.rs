//! Counters by number and by name, compact and cheap to copy.
//!
//! There may be millions, and whoever publishes a directory copies it at each
//! command. So rows are kept in chunks that copies share, names lie one behind
//! the other in their chunk, and the index by name holds hashes and places only.
//! A new counter copies one chunk and one shard of the index.

use crate::bytes::Bytes;
use crate::entry::CounterEntry;
use pyralog_model::{CounterMode, CounterName, CounterNumber, LogName};
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
    lengths: Bytes,
    /// The mode of each counter, as postcard would write it.
    modes: Bytes,
}

impl Chunk {
    fn check(&self) -> Result<(), &'static str> {
        let bytes: usize = self.lengths.0.iter().map(|&length| usize::from(length)).sum();
        if self.lengths.0.len() != self.modes.0.len() || bytes != self.names.len() {
            return Err("counters without names, or names without counters");
        }
        match self.modes.0.iter().all(|&mode| mode_of(mode).is_some()) {
            true => Ok(()),
            false => Err("a counter of an unknown mode"),
        }
    }

    fn name(&self, row: usize) -> &str {
        let start = self.lengths.0[..row].iter().map(|&length| usize::from(length)).sum();
        &self.names[start..start + usize::from(self.lengths.0[row])]
    }

    fn names(&self) -> impl Iterator<Item = Option<&str>> {
        let mut rest = self.names.as_str();
        self.lengths.0.iter().map(move |&length| {
            let (name, after) = rest.split_at_checked(usize::from(length))?;
            rest = after;
            Some(name)
        })
    }
}

/// The hash and, in the lower half, the row, sorted.
type Shard = Arc<Vec<u64>>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    chunks: Arc<Vec<Arc<Chunk>>>,
    /// By the hash's first bits. Empty before the first row.
    index: Arc<Vec<Shard>>,
}

impl Counters {
    pub(crate) fn len(&self) -> usize {
        self.chunks
            .last()
            .map_or(0, |last| (self.chunks.len() - 1) * CHUNK_ROWS + last.modes.0.len())
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let hash = hash(name);
        let shard = self.index.get(shard_of(hash))?;
        let from = shard.partition_point(|place| *place < place_of(hash, 0));
        let same = shard[from..].iter().take_while(|place| hash_of(**place) == hash);
        same.map(|place| row_in(*place)).find(|row| self.name(*row) == name)
    }

    pub(crate) fn mode(&self, row: usize) -> Option<CounterMode> {
        let modes = &self.chunks.get(row / CHUNK_ROWS)?.modes.0;
        modes.get(row % CHUNK_ROWS).and_then(|&mode| mode_of(mode))
    }

    pub(crate) fn entry(&self, row: usize) -> Option<CounterEntry> {
        let mode = self.mode(row)?;
        let name = self.name(row).parse().expect("names were checked when they came in");
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
        chunk.lengths.0.push(u8::try_from(text.len()).expect("names have at most 249 bytes"));
        chunk.modes.0.push(mode_byte(mode));
        let index = Arc::make_mut(&mut self.index);
        index.resize(SHARDS, Arc::default());
        let hash = hash(text);
        let shard = Arc::make_mut(&mut index[shard_of(hash)]);
        let place = place_of(hash, row);
        shard.insert(shard.partition_point(|other| *other < place), place);
        number_of(row)
    }

    /// The rows for a snapshot.
    pub(crate) fn chunks(&self) -> Vec<Arc<Chunk>> {
        self.chunks.to_vec()
    }

    /// From the rows of a snapshot; what contradicts itself there, if anything does.
    pub(crate) fn restore(chunks: Vec<Chunk>) -> Result<Counters, &'static str> {
        let full = |chunk: &Chunk| chunk.modes.0.len() == CHUNK_ROWS;
        let filled = chunks.split_last().is_none_or(|(last, others)| {
            others.iter().all(full) && (1..=CHUNK_ROWS).contains(&last.modes.0.len())
        });
        if !filled || chunks.len() > COUNTERS_MAX as usize / CHUNK_ROWS {
            return Err("counters in chunks of another size");
        }
        // A little more than an even share, so that few shards have to grow.
        let share = chunks.len() * CHUNK_ROWS / SHARDS * 9 / 8;
        let shards = if chunks.is_empty() { 0 } else { SHARDS };
        let mut index: Vec<Vec<u64>> = (0..shards).map(|_| Vec::with_capacity(share)).collect();
        for (number, chunk) in chunks.iter().enumerate() {
            chunk.check()?;
            for (row, name) in chunk.names().enumerate() {
                let hash = hash(name.filter(|name| is_name(name)).ok_or(NOT_A_NAME)?);
                index[shard_of(hash)].push(place_of(hash, number * CHUNK_ROWS + row));
            }
        }
        index.iter_mut().for_each(|shard| shard.sort_unstable());
        let counters = Counters {
            chunks: Arc::new(chunks.into_iter().map(Arc::new).collect()),
            index: Arc::new(index.into_iter().map(Arc::new).collect()),
        };
        if counters.has_twins() { Err("two counters with one name") } else { Ok(counters) }
    }

    fn name(&self, row: usize) -> &str {
        self.chunks[row / CHUNK_ROWS].name(row % CHUNK_ROWS)
    }

    /// Only equal hashes can be equal names.
    fn has_twins(&self) -> bool {
        self.index.iter().any(|shard| {
            let alike = shard.chunk_by(|a, b| hash_of(*a) == hash_of(*b));
            alike.filter(|alike| alike.len() > 1).any(|alike| {
                let mut names: Vec<&str> =
                    alike.iter().map(|place| self.name(row_in(*place))).collect();
                names.sort_unstable();
                names.windows(2).any(|pair| pair[0] == pair[1])
            })
        })
    }
}

fn place_of(hash: u32, row: usize) -> u64 {
    u64::from(hash) << 32 | row as u64
}

fn hash_of(place: u64) -> u32 {
    (place >> 32) as u32
}

fn row_in(place: u64) -> usize {
    place as u32 as usize
}

fn mode_byte(mode: CounterMode) -> u8 {
    match mode {
        CounterMode::Exact => 0,
        CounterMode::Leased => 1,
    }
}

fn mode_of(byte: u8) -> Option<CounterMode> {
    match byte {
        0 => Some(CounterMode::Exact),
        1 => Some(CounterMode::Leased),
        _ => None,
    }
}

const NOT_A_NAME: &str = "a counter's name that cannot be";

/// Whether `text` is a `CounterName`, without making one: a million of them are
/// looked at when an Obelisk starts. A test holds the two together.
fn is_name(text: &str) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=LogName::BYTES_MAX).contains(&text.len())
        && text != "."
        && text != ".."
        && text.as_bytes().iter().all(allowed)
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

/// Eight bytes at a time, mixed by multiplication. Only this process sees it, so
/// it may change; but equal directories must have equal indexes, so it has no seed.
fn hash(name: &str) -> u32 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = name.len() as u64;
    for part in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(MIX);
        hash ^= hash >> 29;
    }
    (hash.wrapping_mul(MIX) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn modes_are_bytes_as_postcard_writes_them() {
        for mode in [CounterMode::Exact, CounterMode::Leased] {
            assert_eq!(postcard::to_stdvec(&mode).unwrap(), [mode_byte(mode)]);
            assert_eq!(mode_of(mode_byte(mode)), Some(mode));
        }
        assert_eq!(mode_of(2), None);
    }

    proptest! {
        #[test]
        fn names_are_those_that_can_be_parsed(text in "[a-zA-Z0-9._/ é-]{0,4}", times in 1_usize..130) {
            for text in [text.clone(), text.repeat(times)] {
                prop_assert_eq!(is_name(&text), text.parse::<CounterName>().is_ok(), "{}", text);
            }
        }
    }
}
