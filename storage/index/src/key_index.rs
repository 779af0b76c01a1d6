//! The index of one partition: which offsets may hold a key, newest first.
//!
//! Offsets are covered by *pieces* without gaps or overlaps, the oldest first, and by
//! the active map after the last of them:
//!
//! ```text
//!  start                                                              active base
//!    ├── file ──────────┼── file ──┼── gap ──┼── file ──┼── frozen map ──┤ active map …
//! ```
//!
//! - **Active map**: what was inserted last. Past its budget, or when its segment is
//!   sealed, it is *frozen* as it is, which takes no time, and another begins.
//! - **Frozen map**: waits to be built into a file. Past their budget the oldest are
//!   dropped and become gaps: memory is bounded even if nobody builds.
//! - **File**: a [`Pphm`](crate::Pphm). Files of one size side by side are merged.
//! - **Gap**: a range without an index, whose records must be scanned by whoever asks,
//!   until it is filled from them.
//!
//! *INDEX* an indexed lookup equals a scan: a candidate or a gap is named for every
//! version that the log has.
//!
//! The manifest (`keys.manifest`) names the files. Its order with other writes is what
//! makes a crash harmless: a file is whole and durable before a manifest names it; a
//! file is removed after a durable manifest no longer names it, and after the last
//! reader let it go; and after a cut-back the manifest knows of it before
//! [`KeyIndex::truncate`] returns, so that no file speaks for offsets that were given
//! anew.
//!
//! The map is guarded by one lock, held for moments and never over a read or a write of
//! the disk, but for the cut-back.

mod active;
mod candidates;
pub(crate) mod manifest;
pub(crate) mod open;
mod options;
mod piece;
mod plan;
mod state;
mod work;

pub use candidates::{Candidate, Candidates};
pub use manifest::{KeyManifest, NamedFile};
pub use open::Opened;
pub use options::{KeyIndexOptions, MemoryUse};
pub use piece::Why;
pub use work::{Built, Work, WorkKind};

use crate::mutation::Planted;
use crate::pphm::{IndexOf, Spec};
use crate::{BlockCache, IndexError, Pphm, hash_key};
use piece::Piece;
use pyralog_env::Disk;
use pyralog_model::Offset;
use state::State;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The index of one partition of a log. Shared by those who write, read and build.
pub struct KeyIndex {
    place: Arc<Place>,
    options: KeyIndexOptions,
    state: Mutex<State>,
}

/// Where an index lies and what its files have in common.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) of: IndexOf,
    pub(crate) hash_seed: u64,
    pub(crate) cache: Arc<BlockCache>,
    pub(crate) planted: Planted,
    /// The state that the manifest on disk is of. Whoever writes it holds the lock.
    pub(crate) saved: Mutex<u64>,
}

impl Place {
    pub(crate) fn spec(&self, range: Range<Offset>) -> Spec {
        Spec { of: self.of, range, hash_seed: self.hash_seed }
    }

    /// The file with this number over this range.
    pub(crate) fn file(&self, number: u64, base: Offset) -> PathBuf {
        self.dir.join(manifest::file_name(number, base))
    }
}

impl fmt::Debug for KeyIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyIndex").field("dir", &self.place.dir).finish_non_exhaustive()
    }
}

impl KeyIndex {
    /// The hash under which this index keeps a key.
    pub fn hash(&self, key: &[u8]) -> u64 {
        hash_key(self.place.hash_seed, key)
    }

    /// Takes a record of the tail: `hash` of its key, its offset, and whether it has no
    /// value. Offsets ascend; one that is not past the last was inserted before and is
    /// left out. Records without a key are not inserted.
    pub fn insert(&self, hash: u64, offset: Offset, tombstone: bool) {
        self.insert_all([(hash, offset, tombstone)]);
    }

    /// Takes many records of the tail under one lock.
    pub fn insert_all(&self, records: impl IntoIterator<Item = (u64, Offset, bool)>) {
        let mut state = self.state();
        for (hash, offset, tombstone) in records {
            if state.active.bytes() >= self.options.active_bytes_max {
                state.freeze(offset, self.options.frozen_bytes_max);
            }
            state.active.insert(hash, offset, tombstone);
        }
    }

    /// Says that offsets below `end` lie in sealed segments: what is known of them is
    /// made a file by the next work. What was inserted from `end` on stays active.
    pub fn seal(&self, end: Offset) {
        self.state().freeze(end, self.options.frozen_bytes_max);
    }

    /// Cuts back to `end`: nothing is known any more of offsets from `end` on, and they
    /// may be given anew. Durable when it returns; to be called before anything is
    /// appended at `end`. On an error it must be called again.
    ///
    /// # Errors
    /// The disk's own.
    pub fn truncate(&self, end: Offset) -> Result<(), IndexError> {
        let mut state = self.state();
        state.truncate(end, self.place.planted);
        // Nearly always the active map alone is cut and the disk has nothing to say.
        if state.is_saved() {
            return Ok(());
        }
        let (sequence, manifest) = (state.sequence, state.manifest(&self.place));
        drop(state);
        manifest.save(sequence, &self.place)?;
        self.state().saved(sequence);
        Ok(())
    }

    /// Says that the log begins at `start`. Files that lie before it are removed by
    /// later work.
    pub fn forget_before(&self, start: Offset) {
        self.state().forget_before(start);
    }

    /// Says that what is known of these offsets is not to be believed. Every file that
    /// has a part of them becomes a gap.
    pub fn rebuild(&self, range: Range<Offset>) {
        self.state().rebuild(&range, &Why::NotBuilt);
    }

    /// Ranges that are not indexed now, the oldest first.
    pub fn gaps(&self) -> Vec<Range<Offset>> {
        self.state().gaps()
    }

    /// Where the active map begins: offsets from here on are to be inserted.
    pub fn active_base(&self) -> Offset {
        self.state().active.base()
    }

    /// What may hold `key` below `below`, newest first.
    pub fn candidates(&self, key: &[u8], below: Offset) -> Candidates<'_> {
        self.candidates_of(self.hash(key), below)
    }

    /// What may hold a key with this hash below `below`, newest first.
    pub fn candidates_of(&self, hash: u64, below: Offset) -> Candidates<'_> {
        Candidates::new(self, hash, below)
    }

    /// Lets go of all blocks in memory; they are read again when they are needed.
    pub fn cool(&self) {
        self.state().cool();
    }

    /// Bytes in memory now.
    pub fn memory(&self) -> MemoryUse {
        self.state().memory()
    }

    /// Files that make up the index now, the oldest first: for those who verify them. A
    /// file stays on disk as long as somebody has it.
    pub fn files(&self) -> Vec<Arc<Pphm>> {
        let state = self.state();
        let pphm = |piece: &Piece| Some(Arc::clone(&piece.file()?.pphm));
        state.files().filter_map(pphm).collect()
    }

    /// Says that a file was found damaged: its range becomes a gap. Other errors change
    /// nothing.
    pub fn give_up(&self, error: &IndexError) {
        self.state().give_up_damaged(error);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // The state is never left halfway: nothing in it can panic between two changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
