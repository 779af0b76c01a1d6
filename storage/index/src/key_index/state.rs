//! What an index knows at one moment. Every change is a few moves in memory.

use super::Place;
use super::active::Active;
use super::manifest::{KeyManifest, NamedFile};
use super::options::MemoryUse;
use super::piece::{Body, IndexFile, Piece, Why};
use crate::mutation::Planted;
use crate::{IndexError, Mutation, Pphm};
use pyralog_model::Offset;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) struct State {
    /// By offset, without gaps; the last ends where `active` begins. Readers hold it.
    pub(crate) pieces: Arc<Vec<Piece>>,
    pub(crate) active: Active,
    /// The log begins here.
    pub(crate) start: Offset,
    pub(crate) next_id: u64,
    pub(crate) next_number: u64,
    /// Raised whenever the files or their ranges change.
    pub(crate) sequence: u64,
    /// The sequence that the manifest on disk is of.
    saved: u64,
    pub(crate) retired: Vec<Retired>,
    /// Somebody has work that was planned and not installed.
    pub(crate) working: bool,
}

/// A file that is no longer needed.
#[derive(Debug)]
pub(crate) struct Retired {
    pub(crate) path: PathBuf,
    /// Readers may still hold it.
    pub(crate) pphm: Option<Arc<Pphm>>,
    /// The first state without it.
    pub(crate) sequence: u64,
}

impl State {
    pub(crate) fn new(active: Active, start: Offset, next_number: u64) -> State {
        State {
            pieces: Arc::default(),
            active,
            start,
            next_id: 0,
            next_number,
            sequence: 1,
            saved: 0,
            retired: Vec::new(),
            working: false,
        }
    }

    pub(crate) fn is_saved(&self) -> bool {
        self.saved >= self.sequence
    }

    /// The manifest of this state is durable.
    pub(crate) fn saved(&mut self, sequence: u64) {
        self.saved = self.saved.max(sequence);
    }

    /// True if a durable manifest no longer names it and no reader has it.
    pub(crate) fn may_go(&self, retired: &Retired, planted: Planted) -> bool {
        let unnamed = retired.sequence <= self.saved || planted.is(Mutation::RemoveBeforeSave);
        let held = |pphm: &Arc<Pphm>| Arc::strong_count(pphm) > 1 || pphm.is_held();
        unnamed && !retired.pphm.as_ref().is_some_and(held)
    }

    pub(crate) fn piece(&mut self, range: Range<Offset>, body: Body) -> Piece {
        self.next_id += 1;
        Piece { id: self.next_id, range, body }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// Ends the active map at `end` and begins another there.
    pub(crate) fn freeze(&mut self, end: Offset, frozen_bytes_max: usize) {
        let base = self.active.base();
        if end <= base {
            return;
        }
        let tail = self.active.tail(end);
        let frozen = Arc::new(std::mem::replace(&mut self.active, tail));
        let base = base.max(self.start);
        if end <= base {
            return;
        }
        let piece = self.piece(base..end, Body::Frozen(frozen));
        let pieces = Arc::make_mut(&mut self.pieces);
        pieces.push(piece);
        let bytes = |piece: &Piece| piece.frozen().map_or(0, |active| active.bytes());
        let mut frozen_bytes: usize = pieces.iter().map(bytes).sum();
        for piece in pieces.iter_mut() {
            if frozen_bytes <= frozen_bytes_max {
                break;
            }
            if piece.frozen().is_some() {
                frozen_bytes -= bytes(piece);
                piece.body = Body::Gap(Why::NotBuilt);
            }
        }
    }

    pub(crate) fn truncate(&mut self, end: Offset, planted: Planted) {
        let mut pieces = std::mem::take(Arc::make_mut(&mut self.pieces));
        let cut_files = !planted.is(Mutation::TruncateKeepsFiles);
        let mut changed = false;
        for piece in &mut pieces {
            let cut = piece.range.end > end && (cut_files || piece.file().is_none());
            changed |= cut && piece.file().is_some();
            piece.range.end = if cut { end } else { piece.range.end };
        }
        let (kept, gone): (Vec<_>, Vec<_>) =
            pieces.into_iter().partition(|piece| piece.range.start < piece.range.end);
        self.pieces = Arc::new(kept);
        if changed && !planted.is(Mutation::TruncateNotSaved) {
            self.sequence += 1;
        }
        self.retire(gone);
        self.active.truncate(end);
    }

    pub(crate) fn forget_before(&mut self, start: Offset) {
        if start <= self.start {
            return;
        }
        self.start = start;
        let pieces = std::mem::take(Arc::make_mut(&mut self.pieces));
        let (gone, mut kept): (Vec<_>, Vec<_>) =
            pieces.into_iter().partition(|piece| piece.range.end <= start);
        if let Some(first) = kept.first_mut() {
            first.range.start = first.range.start.max(start);
        }
        self.pieces = Arc::new(kept);
        // What is cut at the front needs no new manifest: the log begins later, and says
        // so when the index is opened.
        self.sequence += u64::from(gone.iter().any(|piece| piece.file().is_some()));
        self.retire(gone);
    }

    /// Makes gaps of all pieces that have a part of the range.
    pub(crate) fn rebuild(&mut self, range: &Range<Offset>, why: &Why) {
        let touches =
            |piece: &Piece| piece.range.start < range.end && range.start < piece.range.end;
        let ids = self.pieces.iter().filter(|piece| touches(piece)).map(|piece| piece.id);
        for id in ids.collect::<Vec<_>>() {
            self.give_up(id, why);
        }
    }

    /// Makes a gap of a piece, if it is still there and is no gap.
    pub(crate) fn give_up(&mut self, id: u64, why: &Why) {
        let Some(at) = self.pieces.iter().position(|piece| piece.id == id) else { return };
        if self.pieces[at].is_gap() {
            return;
        }
        let gap = self.piece(self.pieces[at].range.clone(), Body::Gap(why.clone()));
        let was = std::mem::replace(&mut Arc::make_mut(&mut self.pieces)[at], gap);
        self.sequence += u64::from(was.file().is_some());
        self.retire(vec![was]);
    }

    /// Puts a file in the place of what it was built from. False if that is no longer
    /// there: then the file is not needed.
    pub(crate) fn replace(&mut self, ids: &[u64], range: &Range<Offset>, file: IndexFile) -> bool {
        self.sequence += 1;
        let inputs: Vec<usize> =
            (0..self.pieces.len()).filter(|at| ids.contains(&self.pieces[*at].id)).collect();
        // The ends may be gone, cut or forgotten; a hole in the middle is a gap that the
        // file must not hide.
        let (Some(&first), Some(&last)) = (inputs.first(), inputs.last()) else {
            self.retire_file(&file);
            return false;
        };
        if last - first + 1 != inputs.len() {
            self.retire_file(&file);
            return false;
        }
        let start = self.pieces[first].range.start.max(range.start);
        let end = self.pieces[last].range.end.min(range.end);
        let piece = self.piece(start..end, Body::File(file));
        let gone: Vec<Piece> =
            Arc::make_mut(&mut self.pieces).splice(first..=last, [piece]).collect();
        self.retire(gone);
        true
    }

    /// The files among pieces that are gone will be removed.
    fn retire(&mut self, gone: Vec<Piece>) {
        gone.iter().filter_map(Piece::file).for_each(|file| self.retire_file(file));
    }

    fn retire_file(&mut self, file: &IndexFile) {
        let (path, pphm) = (file.pphm.path().to_owned(), Some(Arc::clone(&file.pphm)));
        self.retired.push(Retired { path, pphm, sequence: self.sequence });
    }

    /// Makes a gap of the file that an error says is damaged.
    pub(crate) fn give_up_damaged(&mut self, error: &IndexError) {
        let IndexError::Damaged { path, .. } = error else { return };
        let is_it = |piece: &&Piece| piece.file().is_some_and(|file| file.pphm.path() == path);
        if let Some(id) = self.pieces.iter().find(is_it).map(|piece| piece.id) {
            self.give_up(id, &Why::Damaged(error.clone()));
        }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| piece.file().is_some())
    }

    pub(crate) fn gaps(&self) -> Vec<Range<Offset>> {
        let gaps = self.pieces.iter().filter(|piece| piece.is_gap());
        gaps.map(|piece| piece.range.clone()).collect()
    }

    pub(crate) fn manifest(&self, place: &Place) -> KeyManifest {
        let named = |piece: &Piece| {
            let file = piece.file()?;
            Some(NamedFile::new(file.number, piece.range.clone(), file.pphm.facts()))
        };
        KeyManifest {
            of: place.of,
            hash_seed: place.hash_seed,
            next_number: self.next_number,
            files: self.pieces.iter().filter_map(named).collect(),
        }
    }

    pub(crate) fn cool(&mut self) {
        for piece in Arc::make_mut(&mut self.pieces) {
            if let Body::File(file) = &mut piece.body
                && file.pphm.cached_bytes() > 0
            {
                file.pphm = Arc::new(file.pphm.cold());
            }
        }
    }

    pub(crate) fn memory(&self) -> MemoryUse {
        let mut used =
            MemoryUse { active_bytes: self.active.bytes() as u64, ..MemoryUse::default() };
        for piece in self.pieces.iter() {
            match &piece.body {
                Body::File(file) => {
                    used.directory_bytes += file.pphm.directory_bytes();
                    used.cached_bytes += file.pphm.cached_bytes();
                }
                Body::Frozen(active) => used.frozen_bytes += active.bytes() as u64,
                Body::Gap(_) => {}
            }
        }
        used
    }
}
