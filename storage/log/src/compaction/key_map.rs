//! The last offset of every key in a part of a log, in bounded memory.
//!
//! ```text
//!  slot   ├─ 16 bytes of SHA-256 of the key ─┼─ offset + 1 ─┤      0 is an empty one
//! ```
//!
//! Keys themselves are not kept: two that share a slot would lose one record. By
//! chance that takes 2⁶⁴ keys, and with this hash nobody can do it on purpose.

use pyralog_model::Offset;
use sha2::{Digest, Sha256};

/// What is kept of a key.
type KeyHash = [u64; 2];

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: KeyHash,
    offset_and_one: u64,
}

/// Bytes that one slot takes.
const SLOT_BYTES: usize = size_of::<Slot>();
/// There is room for this many, however little memory is given.
const SLOTS_MIN: usize = 1 << 10;

/// Open addressing; it doubles until the memory that was given is used.
#[derive(Debug)]
pub(super) struct KeyMap {
    slots: Vec<Slot>,
    keys: usize,
    slots_max: usize,
}

impl KeyMap {
    /// An empty map that takes no more than `bytes_max`, but for the smallest one.
    pub(super) fn new(bytes_max: usize) -> KeyMap {
        // While it doubles, the old one and the new one are there.
        let most = (bytes_max / SLOT_BYTES * 2 / 3).max(SLOTS_MIN);
        let slots_max = if most.is_power_of_two() { most } else { most.next_power_of_two() / 2 };
        KeyMap { slots: vec![Slot::default(); SLOTS_MIN], keys: 0, slots_max }
    }

    /// Takes note of a key's later offset. False if the key is new and there is no room
    /// for it.
    #[must_use]
    pub(super) fn insert(&mut self, key: &[u8], offset: Offset) -> bool {
        let hash = hash(key);
        let mut place = self.place(&hash);
        if self.slots[place].offset_and_one == 0 {
            if (self.keys + 1) * 4 > self.slots.len() * 3 {
                if self.slots.len() * 2 > self.slots_max {
                    return false;
                }
                self.double();
                place = self.place(&hash);
            }
            self.keys += 1;
        }
        self.slots[place] = Slot { hash, offset_and_one: offset.0 + 1 };
        true
    }

    /// The last offset of a key that was noted.
    pub(super) fn latest(&self, key: &[u8]) -> Option<Offset> {
        let slot = self.slots[self.place(&hash(key))];
        slot.offset_and_one.checked_sub(1).map(Offset)
    }

    /// Where a key is, or would be.
    fn place(&self, hash: &KeyHash) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = hash[0] as usize & mask;
        while self.slots[place].offset_and_one != 0 && self.slots[place].hash != *hash {
            place = (place + 1) & mask;
        }
        place
    }

    fn double(&mut self) {
        let larger = vec![Slot::default(); self.slots.len() * 2];
        let smaller = std::mem::replace(&mut self.slots, larger);
        for slot in smaller.into_iter().filter(|slot| slot.offset_and_one != 0) {
            let place = self.place(&slot.hash);
            self.slots[place] = slot;
        }
    }
}

fn hash(key: &[u8]) -> KeyHash {
    let digest = Sha256::digest(key);
    let half = |at: usize| u64::from_le_bytes(digest[at..at + 8].try_into().expect("8 bytes"));
    [half(0), half(8)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn it_holds_what_a_plain_map_holds_until_it_is_full() {
        for bytes_max in [0, 200_000, 1 << 20] {
            let (mut map, mut plain) = (KeyMap::new(bytes_max), HashMap::new());
            for n in 0..100_000_u64 {
                let key = (n * n % 31_337).to_le_bytes();
                if map.insert(&key, Offset(n)) {
                    plain.insert(key, Offset(n));
                } else {
                    assert!(!plain.contains_key(&key), "a key that is in it is taken");
                }
            }
            assert_eq!(map.keys, plain.len());
            assert!(
                map.slots.len() * SLOT_BYTES * 3 / 2 <= bytes_max.max(SLOTS_MIN * SLOT_BYTES * 2)
            );
            for n in 0..31_337_u64 {
                let key = n.to_le_bytes();
                assert_eq!(map.latest(&key), plain.get(&key).copied());
            }
            assert_eq!(map.latest(b""), None);
        }
    }

    #[test]
    fn the_memory_that_is_given_is_used() {
        let mut map = KeyMap::new(1 << 20);
        let taken = (0..100_000_u64).take_while(|n| map.insert(&n.to_le_bytes(), Offset(*n)));
        assert_eq!(taken.count(), 12_288, "three quarters of 16,384 slots");
    }
}
