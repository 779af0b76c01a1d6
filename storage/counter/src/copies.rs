//! Two alternating copies: how a small durable thing is replaced without a moment
//! at which a power cut leaves neither the old one nor the new.
//!
//! ```text
//!   copy 0  │ seq 7 │ ──▶ │ seq 9, being written │      a cut leaves 8, or 9
//!   copy 1  │ seq 8 │     │ seq 8                │
//! ```
//!
//! A copy is a block of 4,096 bytes at a multiple of that, written whole from a
//! private buffer. Blocks of an unsynced write may survive in part, so the next
//! write always goes to the copy that is not the last whole one.

use pyralog_env::DiskFile;
use std::io;

/// Length of a copy. No sector of a disk is larger, so copies never share one.
pub(crate) const BLOCK_BYTES: usize = 4096;

/// A copy's bytes.
pub(crate) type Block = Box<[u8; BLOCK_BYTES]>;

pub(crate) fn empty_block() -> Block {
    Box::new([0; BLOCK_BYTES])
}

/// Which of two copies is written next, given the seq of each that is whole.
pub(crate) fn next_copy(whole: [Option<u64>; 2]) -> usize {
    match whole {
        [Some(_), None] => 1,
        [Some(first), Some(second)] if second < first => 1,
        _ => 0,
    }
}

/// Position of a copy of the pair that begins at `position`.
pub(crate) fn copy_at(position: u64, copy: usize) -> u64 {
    position + (copy * BLOCK_BYTES) as u64
}

/// Both copies of the pair at `position`; what lies past the end of the file reads
/// as zeros.
pub(crate) fn read_pair(file: &dyn DiskFile, position: u64) -> io::Result<[Block; 2]> {
    let mut pair = [empty_block(), empty_block()];
    for (copy, block) in pair.iter_mut().enumerate() {
        file.read_at(&mut block[..], copy_at(position, copy))?;
    }
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_copy_is_never_overwritten() {
        assert_eq!(next_copy([Some(7), Some(8)]), 0);
        assert_eq!(next_copy([Some(9), Some(8)]), 1);
        assert_eq!(next_copy([None, Some(8)]), 0);
        assert_eq!(next_copy([Some(8), None]), 1);
        assert_eq!(next_copy([Some(0), Some(0)]), 0);
    }
}
