//! Rows of a block: a few dozen bits each, one after the other, without gaps.
//!
//! A row is at most 121 bits wide, so that 16 bytes from the byte in which it begins
//! hold it whole: reading one is a single load, a shift and two masks.

/// Bytes that one read takes; as many must follow the last row's first byte.
pub(crate) const READ_BYTES: usize = 16;
/// Bits of an entry at most; with 64 of a hash and one more a row is 121 wide.
pub(crate) const ENTRY_BITS_MAX: u8 = 56;

/// How many bits of a row are what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowShape {
    pub(crate) hash_bits: u8,
    pub(crate) entry_bits: u8,
}

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The hash without the partition's prefix.
    pub(crate) hash: u64,
    /// True if `entry` is the number of a list, not a version.
    pub(crate) listed: bool,
    pub(crate) entry: u64,
}

impl RowShape {
    pub(crate) fn width(self) -> usize {
        usize::from(self.hash_bits) + 1 + usize::from(self.entry_bits)
    }

    /// Bytes of this many rows.
    pub(crate) fn bytes(self, rows: usize) -> usize {
        (rows * self.width()).div_ceil(8)
    }

    /// The row at `slot`. `bytes` begins with the first row and goes on for
    /// [`READ_BYTES`] past the last.
    pub(crate) fn read(self, bytes: &[u8], slot: usize) -> Row {
        let bit = slot * self.width();
        let window: [u8; READ_BYTES] =
            bytes[bit / 8..bit / 8 + READ_BYTES].try_into().expect("16 bytes");
        let bits = u128::from_le_bytes(window) >> (bit % 8);
        let rest = (bits >> self.hash_bits) as u64;
        Row {
            hash: bits as u64 & mask(self.hash_bits),
            listed: rest & 1 == 1,
            entry: (rest >> 1) & mask(self.entry_bits),
        }
    }

    /// Writes a row into bytes that are still zero.
    pub(crate) fn write(self, bytes: &mut [u8], slot: usize, row: Row) {
        debug_assert!(row.hash <= mask(self.hash_bits) && row.entry <= mask(self.entry_bits));
        let rest = row.entry << 1 | u64::from(row.listed);
        let bits = u128::from(row.hash) | u128::from(rest) << self.hash_bits;
        let bit = slot * self.width();
        let window = &mut bytes[bit / 8..bit / 8 + READ_BYTES];
        for (byte, add) in window.iter_mut().zip((bits << (bit % 8)).to_le_bytes()) {
            *byte |= add;
        }
    }
}

/// The lowest `bits` bits.
pub(crate) fn mask(bits: u8) -> u64 {
    u64::MAX.checked_shr(64 - u32::from(bits)).unwrap_or(0)
}

/// Bits that `value` needs.
pub(crate) fn bits(value: u64) -> u8 {
    (64 - value.leading_zeros()) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_do_not_touch_each_other(
            hash_bits in 38u8..=64, entry_bits in 0u8..=ENTRY_BITS_MAX,
            rows in proptest::collection::vec((any::<u64>(), any::<bool>(), any::<u64>()), 1..40),
        ) {
            let shape = RowShape { hash_bits, entry_bits };
            let row = |&(hash, listed, entry): &(u64, bool, u64)| Row {
                hash: hash & mask(hash_bits), listed, entry: entry & mask(entry_bits),
            };
            let mut bytes = vec![0; shape.bytes(rows.len()) + READ_BYTES];
            for (slot, one) in rows.iter().enumerate().rev() {
                shape.write(&mut bytes, slot, row(one));
            }
            for (slot, one) in rows.iter().enumerate() {
                prop_assert_eq!(shape.read(&bytes, slot), row(one));
            }
            prop_assert_eq!(&bytes[shape.bytes(rows.len())..], &[0; READ_BYTES]);
        }
    }
}
