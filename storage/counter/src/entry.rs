//! The durable part of one counter: 32 bytes, never across a sector.
//!
//! | byte | width | field |
//! |---|---|---|
//! | 0 | 8 | bound: no value above it was ever issued |
//! | 8 | 8 | incarnation that raised it |
//! | 16 | 8 | seq: of two copies, the greater one counts |
//! | 24 | 4 | flags: bit 0, the counter exists |
//! | 28 | 4 | CRC of bytes 0..28, keyed by the store and the counter's number |
//!
//! All zeros is an entry that was never written.

use crate::keyed_crc::keyed_crc;
use pyralog_model::StoreId;

/// Length of an entry.
pub(crate) const ENTRY_BYTES: usize = 32;
const CHECKED: usize = ENTRY_BYTES - 4;
const CREATED: u32 = 1;

/// The durable part of a counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) bound: u64,
    pub(crate) incarnation: u64,
    pub(crate) seq: u64,
    pub(crate) created: bool,
}

/// What one copy of an entry turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Never written.
    Empty,
    /// Whole.
    Entry(Entry),
    /// Torn, rotten, or not ours.
    Damaged,
}

impl Entry {
    pub(crate) fn encode(&self, store: StoreId, number: u64) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0..8].copy_from_slice(&self.bound.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.incarnation.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.seq.to_le_bytes());
        let flags = if self.created { CREATED } else { 0 };
        bytes[24..28].copy_from_slice(&flags.to_le_bytes());
        let crc = keyed_crc(store, number, &bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

impl Kept {
    /// `bytes` are `ENTRY_BYTES` long.
    pub(crate) fn decode(bytes: &[u8], store: StoreId, number: u64) -> Kept {
        if bytes.iter().all(|&byte| byte == 0) {
            return Kept::Empty;
        }
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let half = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let flags = half(24);
        if half(CHECKED) != keyed_crc(store, number, &bytes[..CHECKED]) || flags > CREATED {
            return Kept::Damaged;
        }
        let created = flags == CREATED;
        Kept::Entry(Entry { bound: word(0), incarnation: word(8), seq: word(16), created })
    }

    /// Of two copies the one that counts: the greater seq.
    pub(crate) fn later(self, other: Kept) -> Kept {
        match (self, other) {
            (Kept::Entry(a), Kept::Entry(b)) => Kept::Entry(if b.seq > a.seq { b } else { a }),
            (Kept::Entry(_), _) => self,
            (_, Kept::Entry(_)) => other,
            (Kept::Empty, Kept::Empty) => Kept::Empty,
            // Perhaps the first write was cut, perhaps the only copy has rotted:
            // refusing is safe in both cases, beginning anew in one.
            _ => Kept::Damaged,
        }
    }

    /// The seq of a copy that is whole; that of one never written is 0.
    pub(crate) fn seq(self) -> Option<u64> {
        match self {
            Kept::Empty => Some(0),
            Kept::Entry(entry) => Some(entry.seq),
            Kept::Damaged => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreId = StoreId(7);

    #[test]
    fn an_entry_is_read_back_and_only_at_its_place() {
        let entry = Entry { bound: 5, incarnation: 3, seq: 9, created: true };
        let bytes = entry.encode(STORE, 12);
        assert_eq!(Kept::decode(&bytes, STORE, 12), Kept::Entry(entry));
        assert_eq!(Kept::decode(&bytes, STORE, 13), Kept::Damaged);
        assert_eq!(Kept::decode(&bytes, StoreId(8), 12), Kept::Damaged);
        assert_eq!(Kept::decode(&[0; ENTRY_BYTES], STORE, 12), Kept::Empty);
        for at in 0..ENTRY_BYTES * 8 {
            let mut bytes = bytes;
            bytes[at / 8] ^= 1 << (at % 8);
            assert_eq!(Kept::decode(&bytes, STORE, 12), Kept::Damaged, "bit {at}");
        }
    }

    #[test]
    fn the_greater_seq_counts() {
        let old = Kept::Entry(Entry { bound: 5, incarnation: 3, seq: 9, created: true });
        let new = Kept::Entry(Entry { bound: 6, incarnation: 3, seq: 10, created: true });
        assert_eq!((old.later(new), new.later(old)), (new, new));
        assert_eq!((old.later(Kept::Damaged), Kept::Empty.later(old)), (old, old));
        assert_eq!(Kept::Damaged.later(Kept::Damaged), Kept::Damaged);
    }
}
