//! The header of the arena: what it is, how long, and how its last life ended.
//!
//! Two alternating copies of 4,096 bytes, at 0 and at 4,096:
//!
//! | byte | width | field |
//! |---|---|---|
//! | 0 | 8 | `PYRAARE1` |
//! | 8 | 2 | version, 1 |
//! | 10 | 2 | zero |
//! | 12 | 4 | CRC, keyed, of bytes 16..96 |
//! | 16 | 16 | store id |
//! | 32 | 8 | length of the file |
//! | 40 | 8 | where slots begin |
//! | 48 | 8 | where durable blocks begin |
//! | 56 | 8 | number of slots |
//! | 64 | 8 | seq: of two copies, the greater one counts |
//! | 72 | 8 | incarnation: starts so far |
//! | 80 | 8 | the last incarnation before this one that did not end cleanly |
//! | 88 | 8 | clean mark: 1 if this incarnation has ended cleanly |
//!
//! The rest is zeros.

use super::layout::{Layout, SLOTS_AT};
use crate::copies::{BLOCK_BYTES, Block, empty_block};
use crate::keyed_crc::keyed_crc;
use pyralog_model::StoreId;

const MAGIC: &[u8; 8] = b"PYRAARE1";
/// The version that is written, and the last that is read.
pub(super) const VERSION: u16 = 1;
const CHECKED: std::ops::Range<usize> = 16..96;

/// One state of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) layout: Layout,
    pub(crate) seq: u64,
    pub(crate) incarnation: u64,
    /// Values of this incarnation and of those before it are not believed.
    pub(crate) unclean: u64,
    pub(crate) closed: bool,
}

/// Why a copy is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bad {
    /// No header, or a torn one.
    Damaged,
    /// Of a newer program.
    Newer(u16),
    /// Whole, and of another store.
    OtherStore,
}

impl Header {
    pub(super) fn encode(&self, store: StoreId) -> Block {
        let mut block = empty_block();
        block[0..8].copy_from_slice(MAGIC);
        block[8..10].copy_from_slice(&VERSION.to_le_bytes());
        block[16..32].copy_from_slice(&store.0.to_le_bytes());
        let words = [
            self.layout.file_bytes,
            SLOTS_AT,
            self.layout.durable_at(),
            self.layout.counters_max(),
            self.seq,
            self.incarnation,
            self.unclean,
            u64::from(self.closed),
        ];
        for (bytes, word) in block[32..].chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let crc = keyed_crc(store, 0, &block[CHECKED]);
        block[12..16].copy_from_slice(&crc.to_le_bytes());
        block
    }

    pub(crate) fn decode(block: &[u8; BLOCK_BYTES], store: StoreId) -> Result<Header, Bad> {
        let word = |at: usize| u64::from_le_bytes(block[at..at + 8].try_into().expect("8 bytes"));
        let version = u16::from_le_bytes([block[8], block[9]]);
        let kept = StoreId(u128::from_le_bytes(block[16..32].try_into().expect("16 bytes")));
        if block[0..8] != *MAGIC || version == 0 {
            return Err(Bad::Damaged);
        }
        if version > VERSION {
            return Err(Bad::Newer(version));
        }
        if block[12..16] != keyed_crc(kept, 0, &block[CHECKED]).to_le_bytes() {
            return Err(Bad::Damaged);
        }
        if kept != store {
            return Err(Bad::OtherStore);
        }
        let layout = Layout { file_bytes: word(32) };
        let lengths = [SLOTS_AT, layout.durable_at(), layout.counters_max()];
        if lengths != [word(40), word(48), word(56)] || layout.counters_max() == 0 {
            return Err(Bad::Damaged);
        }
        let header = Header {
            layout,
            seq: word(64),
            incarnation: word(72),
            unclean: word(80),
            closed: word(88) == 1,
        };
        Ok(header)
    }

    /// The state of the next life, whose beginning clears the clean mark.
    pub(super) fn next_life(&self) -> Header {
        Header {
            seq: self.seq + 1,
            incarnation: self.incarnation + 1,
            unclean: if self.closed { self.unclean } else { self.incarnation },
            closed: false,
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreId = StoreId(77);

    fn header() -> Header {
        let layout = Layout { file_bytes: 1 << 30 };
        Header { layout, seq: 4, incarnation: 3, unclean: 1, closed: true }
    }

    #[test]
    fn a_header_is_read_back_and_no_bit_of_it_may_differ() {
        let block = header().encode(STORE);
        assert_eq!(Header::decode(&block, STORE), Ok(header()));
        assert_eq!(Header::decode(&block, StoreId(78)), Err(Bad::OtherStore));
        for bit in (0..96 * 8).filter(|bit| !(80..96).contains(bit)) {
            let mut block = block.clone();
            block[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&block, STORE).is_err(), "bit {bit}");
        }
        let mut newer = block;
        newer[8] = 2;
        assert_eq!(Header::decode(&newer, STORE), Err(Bad::Newer(2)));
    }

    #[test]
    fn only_an_unclean_end_moves_what_is_believed() {
        let after_clean = header().next_life();
        assert_eq!((after_clean.incarnation, after_clean.unclean), (4, 1));
        let after_unclean = after_clean.next_life();
        assert_eq!((after_unclean.incarnation, after_unclean.unclean), (5, 4));
        assert!(!after_unclean.closed);
    }
}
