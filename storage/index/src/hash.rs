//! The hash of a key, pinned: files keep it, so it may never change.
//!
//! XXH3 of 64 bits with a seed. The seed is drawn once per index and kept in its
//! files: without it nobody can choose keys that collide. Two keys may share a hash
//! all the same (one pair in 2⁶⁴); both stay findable, for they are versions of one
//! hash and the caller compares keys.

/// What makes the second hash independent of the first.
const CHECK: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of `key` under which an index with this seed keeps it.
pub fn hash_key(seed: u64, key: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot_with_seed(seed, key)
}

/// A second, independent hash. Only reducers that drop versions need it: with the
/// first it tells two keys apart that share the first.
pub fn check_key(seed: u64, key: &[u8]) -> u64 {
    hash_key(seed ^ CHECK, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_files_have() {
        // The first is a published vector of XXH3; the others are ours, for ever.
        assert_eq!(hash_key(0, b""), 0x2d06_8005_38d3_94c2);
        let ours = [hash_key(0, b"pharaoh"), hash_key(7, &[b'x'; 300]), check_key(7, b"isis")];
        assert_eq!(
            ours,
            [2_335_696_292_286_275_725, 7_327_251_444_594_653_761, 69_290_943_074_466_029]
        );
        assert_ne!(check_key(0, b"pharaoh"), hash_key(0, b"pharaoh"));
    }
}
