//! A run of values that was claimed at once, for one owner: nothing is shared, so
//! that taking one is an addition.

/// Values from `next` up to, not including, `end`.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    next: u64,
    end: u64,
}

// Not `Clone`: two copies would issue the same values.
impl Block {
    /// The `count` values from `first` on. Ends at the last value of 64 bits.
    pub fn new(first: u64, count: u64) -> Block {
        Block { next: first, end: first.saturating_add(count) }
    }

    /// A block without values.
    pub fn empty() -> Block {
        Block { next: 0, end: 0 }
    }

    /// The next value, if there is one. (Not an iterator: a `for` loop would use
    /// the block up.)
    #[inline]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<u64> {
        if self.next == self.end {
            return None;
        }
        let value = self.next;
        self.next += 1;
        Some(value)
    }

    /// The first of `count` values in a row; `None` if there are not so many, and
    /// then none is taken.
    #[inline]
    pub fn take(&mut self, count: u64) -> Option<u64> {
        if count > self.remaining() {
            return None;
        }
        let first = self.next;
        self.next += count;
        Some(first)
    }

    /// How many values are left.
    #[inline]
    pub fn remaining(&self) -> u64 {
        self.end - self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_taken_once() {
        let mut block = Block::new(5, 4);
        assert_eq!((block.next(), block.take(2), block.take(2)), (Some(5), Some(6), None));
        assert_eq!((block.remaining(), block.next(), block.next()), (1, Some(8), None));
        assert_eq!(Block::empty().next(), None);
        assert_eq!(Block::new(u64::MAX - 1, 9).remaining(), 1);
    }
}
