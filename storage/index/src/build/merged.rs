//! Many sorted streams as one.

use crate::{Entry, IndexError};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use pyralog_model::Offset;

/// Entries by hash, then newest first.
pub(super) type Source<'a> = Box<dyn Iterator<Item = Result<Entry, IndexError>> + 'a>;

/// A stream's next entry, by its place in the order; the number of the stream last, so
/// that equal ones come in a fixed order.
type Head = Reverse<((u64, Reverse<Offset>), usize)>;

/// Iterates over all entries in order. Ends after an error.
pub(super) struct Merged<'a> {
    sources: Vec<Source<'a>>,
    /// The next entry of each stream.
    next: Vec<Option<Entry>>,
    heads: BinaryHeap<Head>,
}

impl<'a> Merged<'a> {
    pub(super) fn new(mut sources: Vec<Source<'a>>) -> Result<Merged<'a>, IndexError> {
        let mut next = Vec::with_capacity(sources.len());
        for source in &mut sources {
            next.push(source.next().transpose()?);
        }
        let heads = next.iter().enumerate().filter_map(|(at, entry)| Some(head(&(*entry)?, at)));
        Ok(Merged { heads: heads.collect(), sources, next })
    }
}

fn head(entry: &Entry, source: usize) -> Head {
    Reverse((entry.order(), source))
}

impl Iterator for Merged<'_> {
    type Item = Result<Entry, IndexError>;

    fn next(&mut self) -> Option<Result<Entry, IndexError>> {
        let mut top = self.heads.peek_mut()?;
        let Reverse((_, source)) = *top;
        let following = match self.sources[source].next().transpose() {
            Ok(following) => following,
            Err(error) => {
                PeekMut::pop(top);
                self.heads.clear();
                return Some(Err(error));
            }
        };
        match &following {
            // Put in the place of the one before it, which costs less than out and in.
            Some(entry) => *top = head(entry, source),
            None => drop(PeekMut::pop(top)),
        }
        std::mem::replace(&mut self.next[source], following).map(Ok)
    }
}
