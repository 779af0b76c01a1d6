//! What a directory remembers of the way it came: a digest after each command, so
//! that two holders can tell whether one has followed the other.
//!
//! ```text
//!   digest(i) = first 8 bytes of SHA-256( digest(i-1) ‖ i ‖ command i )
//!
//!      base                                   last index - 8,192      last index
//!       0 ······│·········│·········│·········├─────────┼─────────┼─────────┤
//!             256       512       768           every index is kept
//!             of older ones every 256th is kept
//! ```
//!
//! A holder that is put back to an old state and goes on from there has the same
//! indices and other digests. Equal digests at an index mean equal commands up to
//! it: 64 bits are enough against accidents, and nobody gains by forging one.

use crate::bytes::Bytes;
use crate::command::Command;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::sync::Arc;

/// A digest of older indices is kept at each multiple of this.
const CHECKPOINT_EVERY: u64 = 256;
/// Chunks of digests that are kept whole: 8,192 indices, and the chunk that grows.
const CHUNKS_MAX: usize = 8_192 / CHECKPOINT_EVERY as usize + 1;
const DIGEST_BYTES: usize = 8;

/// How far a holder has come, and by which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The index of its last command; 0 before the first.
    pub index: u64,
    /// The digest there.
    pub digest: u64,
    /// The last index at or below it that others keep the digest of for ever.
    pub checkpoint_index: u64,
    /// The digest there.
    pub checkpoint_digest: u64,
}

/// Whether a directory has what another holder knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// It came the same way, as far as it remembers that way.
    Yes,
    /// It is shorter, or came another way.
    No,
    /// That lies before what it remembers.
    Unknown,
}

/// Digests of the commands so far. Clones share all but the chunk that grows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// Where it begins: 0, or the index of a snapshot that had no digests. The
    /// digest there is 0.
    base: u64,
    /// Those of the multiples of 256 after `base` that are no longer in `recent`.
    checkpoints: Arc<Vec<u64>>,
    /// Those of the last indices; a chunk ends at a multiple of 256.
    recent: Arc<VecDeque<Arc<Vec<u64>>>>,
    last: u64,
    digest: u64,
}

impl History {
    /// Nothing is known of what was before `base`.
    pub(crate) fn beginning_at(base: u64) -> History {
        History { base, last: base, ..History::default() }
    }

    /// The index of the last command.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The command of the next index. It counts in the bytes that are written today,
    /// which are the same wherever the command was kept, and refused ones count too.
    pub(crate) fn push(&mut self, command: &Command) {
        let mut hash = Sha256::new();
        hash.update(self.digest.to_le_bytes());
        hash.update((self.last + 1).to_le_bytes());
        hash.update(command.encode());
        let mut first = [0; DIGEST_BYTES];
        first.copy_from_slice(&hash.finalize()[..DIGEST_BYTES]);
        self.push_digest(u64::from_le_bytes(first));
    }

    pub(crate) fn known(&self) -> Known {
        // What lies before the base has no digest here.
        let checkpoint_index = self.base.max(self.last - self.last % CHECKPOINT_EVERY);
        let checkpoint_digest = self.digest_at(checkpoint_index).unwrap_or_default();
        Known { index: self.last, digest: self.digest, checkpoint_index, checkpoint_digest }
    }

    pub(crate) fn holds(&self, known: &Known) -> Holding {
        if known.index > self.last || known.checkpoint_index > known.index {
            return Holding::No;
        }
        let exact = self.digest_at(known.index).map(|ours| ours == known.digest);
        let checkpoint =
            || self.digest_at(known.checkpoint_index).map(|ours| ours == known.checkpoint_digest);
        match exact.or_else(checkpoint) {
            Some(true) => Holding::Yes,
            Some(false) => Holding::No,
            None => Holding::Unknown,
        }
    }

    /// The digest after the command of `index`, if it is still known.
    fn digest_at(&self, index: u64) -> Option<u64> {
        let kept_after = self.kept_after();
        if index == self.base {
            Some(0)
        } else if index > self.last || index < self.base {
            None
        } else if index > kept_after {
            let place = (index - 1) / CHECKPOINT_EVERY;
            let chunk = self.recent.get((place - kept_after / CHECKPOINT_EVERY) as usize)?;
            let begin = kept_after.max(place * CHECKPOINT_EVERY);
            chunk.get((index - 1 - begin) as usize).copied()
        } else if index.is_multiple_of(CHECKPOINT_EVERY) {
            let place = index / CHECKPOINT_EVERY - self.base / CHECKPOINT_EVERY - 1;
            self.checkpoints.get(place as usize).copied()
        } else {
            None
        }
    }

    /// The index before the first whose digest is in `recent`.
    fn kept_after(&self) -> u64 {
        self.last - self.recent.iter().map(|chunk| chunk.len() as u64).sum::<u64>()
    }

    fn push_digest(&mut self, digest: u64) {
        let recent = Arc::make_mut(&mut self.recent);
        if recent.is_empty() || self.last.is_multiple_of(CHECKPOINT_EVERY) {
            recent.push_back(Arc::default());
        }
        let chunk = recent.back_mut().expect("there is one now");
        Arc::make_mut(chunk).push(digest);
        (self.last, self.digest) = (self.last + 1, digest);
        if recent.len() > CHUNKS_MAX {
            let oldest = recent.pop_front().expect("there are many");
            Arc::make_mut(&mut self.checkpoints).extend(oldest.last());
        }
    }
}

/// How a snapshot keeps it: the base, checkpoints and recent digests, eight bytes
/// each, little-endian.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct HistoryBody {
    base: u64,
    checkpoints: Bytes,
    recent: Bytes,
}

impl HistoryBody {
    pub(crate) fn of(history: &History) -> HistoryBody {
        HistoryBody {
            base: history.base,
            checkpoints: bytes_of(history.checkpoints.iter()),
            recent: bytes_of(history.recent.iter().flat_map(|chunk| chunk.iter())),
        }
    }

    /// Of a snapshot without digests.
    pub(crate) fn beginning_at(base: u64) -> HistoryBody {
        HistoryBody { base, ..HistoryBody::default() }
    }

    /// The history that ends at `last`; what contradicts itself, if anything does.
    pub(crate) fn restore(&self, last: u64) -> Result<History, &'static str> {
        let HistoryBody { base, checkpoints, recent } = self;
        let whole =
            [checkpoints, recent].iter().all(|part| part.0.len().is_multiple_of(DIGEST_BYTES));
        let kept = (recent.0.len() / DIGEST_BYTES) as u64;
        let kept_after = last.checked_sub(kept).filter(|after| after >= base);
        let (true, Some(kept_after)) = (whole, kept_after) else {
            return Err("digests of other commands than there are");
        };
        let chunks = last.div_ceil(CHECKPOINT_EVERY) - kept_after / CHECKPOINT_EVERY;
        let all = CHUNKS_MAX as u64;
        let fits = match kept_after == *base {
            true => kept == 0 || chunks <= all,
            false => kept_after.is_multiple_of(CHECKPOINT_EVERY) && chunks == all,
        };
        let dropped = kept_after / CHECKPOINT_EVERY - base / CHECKPOINT_EVERY;
        if !fits || (checkpoints.0.len() / DIGEST_BYTES) as u64 != dropped {
            return Err("digests of other indices than are kept");
        }
        let checkpoints = Arc::new(digests(checkpoints).collect());
        let mut history = History { checkpoints, last: kept_after, ..History::beginning_at(*base) };
        digests(recent).for_each(|digest| history.push_digest(digest));
        Ok(history)
    }
}

fn bytes_of<'a>(digests: impl Iterator<Item = &'a u64>) -> Bytes {
    Bytes(digests.flat_map(|digest| digest.to_le_bytes()).collect())
}

fn digests(bytes: &Bytes) -> impl Iterator<Item = u64> {
    bytes
        .0
        .chunks_exact(DIGEST_BYTES)
        .map(|digest| u64::from_le_bytes(digest.try_into().expect("chunks of eight bytes")))
}
