//! Entries waiting to be sorted, as whole words: 16 bytes each, or 32 with rank and
//! check. The second word is the offset with its tombstone bit, inverted, so that the
//! plain order of words is by hash and then newest first.

use crate::{Entry, Version};
use pyralog_model::Offset;

/// Words of an entry without and with rank and check.
type Narrow = [u64; 2];
type Wide = [u64; 4];

pub(super) enum Buffer {
    Narrow(Vec<Narrow>),
    Wide(Vec<Wide>),
}

impl Buffer {
    pub(super) fn new(wide: bool) -> Buffer {
        if wide { Buffer::Wide(Vec::new()) } else { Buffer::Narrow(Vec::new()) }
    }

    pub(super) fn is_wide(&self) -> bool {
        matches!(self, Buffer::Wide(_))
    }

    pub(super) fn entry_bytes(&self) -> usize {
        entry_bytes(self.is_wide())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Buffer::Narrow(entries) => entries.len(),
            Buffer::Wide(entries) => entries.len(),
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        match self {
            Buffer::Narrow(entries) => entries.push(narrow(&entry)),
            Buffer::Wide(entries) => entries.push(wide(&entry)),
        }
    }

    pub(super) fn sort(&mut self) {
        match self {
            Buffer::Narrow(entries) => entries.sort_unstable(),
            Buffer::Wide(entries) => entries.sort_unstable(),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Buffer::Narrow(entries) => entries.clear(),
            Buffer::Wide(entries) => entries.clear(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        (0..self.len()).map(|at| match self {
            Buffer::Narrow(entries) => of_narrow(&entries[at]),
            Buffer::Wide(entries) => of_wide(&entries[at]),
        })
    }
}

/// Bytes of one entry, in memory and in a run.
pub(super) fn entry_bytes(wide: bool) -> usize {
    if wide { size_of::<Wide>() } else { size_of::<Narrow>() }
}

/// Appends an entry as it is kept.
pub(super) fn encode(entry: &Entry, is_wide: bool, bytes: &mut Vec<u8>) {
    let words = wide(entry);
    let words = if is_wide { &words[..] } else { &words[..2] };
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
}

/// An entry from bytes that [`encode`] made.
pub(super) fn decode(bytes: &[u8]) -> Entry {
    let word = |at: usize| match bytes.get(8 * at..8 * at + 8) {
        Some(word) => u64::from_le_bytes(word.try_into().expect("8 bytes")),
        None => 0,
    };
    of_wide(&[word(0), word(1), word(2), word(3)])
}

fn narrow(entry: &Entry) -> Narrow {
    let place = entry.version.offset.0 << 1 | u64::from(entry.version.tombstone);
    [entry.hash, !place]
}

fn wide(entry: &Entry) -> Wide {
    let [hash, place] = narrow(entry);
    [hash, place, entry.version.rank as u64, entry.version.check]
}

fn of_narrow(&[hash, place]: &Narrow) -> Entry {
    Entry { hash, version: Version::at(Offset(!place >> 1), !place & 1 == 1) }
}

fn of_wide(&[hash, place, rank, check]: &Wide) -> Entry {
    let Entry { version, .. } = of_narrow(&[hash, place]);
    Entry { hash, version: Version { rank: rank as i64, check, ..version } }
}
