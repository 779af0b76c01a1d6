//! Where a key may be, newest first, found as it is asked for.

use super::KeyIndex;
use super::active::{Active, Cursor};
use super::piece::{Body, IndexFile, Piece, Why};
use crate::pphm::Versions;
use crate::{IndexError, Mutation};
use pyralog_model::Offset;
use std::ops::Range;
use std::sync::Arc;
use std::vec::IntoIter;

/// Versions that are taken from the active map under one lock: few at first, because
/// most want one, then more, because each time those before them are passed over.
const ACTIVE_FIRST: usize = 8;
const ACTIVE_MOST: usize = 4096;

/// Where a key may be.
#[derive(Debug, Clone)]
pub enum Candidate {
    /// The record at this offset has a key with the same hash: read it and compare.
    At {
        /// The record's offset.
        offset: Offset,
        /// True if it has no value.
        tombstone: bool,
    },
    /// Nothing is known of these offsets: their records must be scanned.
    Unindexed {
        /// The offsets.
        range: Range<Offset>,
        /// Why.
        why: Why,
    },
}

/// Iterates over candidates, newest first; stop at the first that answers. After an
/// error there may be versions that were not named.
#[derive(Debug)]
pub struct Candidates<'a> {
    index: &'a KeyIndex,
    hash: u64,
    /// Everything from here on was named.
    below: Offset,
    start: Offset,
    /// From the active map; if there were more, the index is asked again after these.
    active: IntoIter<(Offset, bool)>,
    active_has_more: bool,
    active_at_once: usize,
    pieces: Arc<Vec<Piece>>,
    /// Pieces that were not looked at.
    left: usize,
    current: Option<Current>,
}

/// The piece that is being read.
#[derive(Debug)]
struct Current {
    piece: usize,
    versions: PieceVersions,
}

#[derive(Debug)]
enum PieceVersions {
    File(Versions),
    Frozen(Arc<Active>, Cursor),
}

impl<'a> Candidates<'a> {
    pub(super) fn new(index: &'a KeyIndex, hash: u64, below: Offset) -> Candidates<'a> {
        let mut candidates = Candidates {
            index,
            hash,
            below,
            start: Offset::ZERO,
            active: Vec::new().into_iter(),
            active_has_more: false,
            active_at_once: ACTIVE_FIRST,
            pieces: Arc::default(),
            left: 0,
            current: None,
        };
        candidates.look();
        candidates
    }

    /// Takes what the index has now of what was not named yet.
    fn look(&mut self) {
        let state = self.index.state();
        let mut versions = state.active.versions(self.hash, self.below);
        let first = versions.by_ref().take(self.active_at_once);
        let first: Vec<(Offset, bool)> =
            first.map(|entry| (entry.version.offset, entry.version.tombstone)).collect();
        self.active_has_more = versions.next().is_some();
        self.active_at_once = (self.active_at_once * 2).min(ACTIVE_MOST);
        self.active = first.into_iter();
        self.start = state.start;
        self.pieces = Arc::clone(&state.pieces);
        self.left = self.pieces.len();
        self.current = None;
    }

    fn step(&mut self) -> Result<Option<Candidate>, IndexError> {
        loop {
            if let Some((offset, tombstone)) = self.active.next() {
                return Ok(self.name(offset, tombstone));
            }
            if self.active_has_more {
                self.look();
                continue;
            }
            if let Some(candidate) = self.next_of_piece()? {
                return Ok(Some(candidate));
            }
            let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
            self.left = left;
            if let Some(gap) = self.begin(left) {
                return Ok(Some(gap));
            }
        }
    }

    fn name(&mut self, offset: Offset, tombstone: bool) -> Option<Candidate> {
        self.below = offset;
        (offset >= self.start).then_some(Candidate::At { offset, tombstone })
    }

    /// Goes on to a piece; a gap is named at once.
    fn begin(&mut self, piece: usize) -> Option<Candidate> {
        let Piece { range, body, .. } = &self.pieces[piece];
        if range.start >= self.below || range.end <= self.start {
            return None;
        }
        let versions = match body {
            Body::Gap(_) if self.index.place.planted.is(Mutation::GapsNotSaid) => return None,
            Body::Gap(why) => return Some(self.gap(range, why.clone())),
            Body::Frozen(active) => {
                PieceVersions::Frozen(Arc::clone(active), active.newest(self.hash))
            }
            Body::File(IndexFile { pphm, .. }) => PieceVersions::File(pphm.versions(self.hash)),
        };
        self.current = Some(Current { piece, versions });
        None
    }

    fn gap(&self, range: &Range<Offset>, why: Why) -> Candidate {
        let range = range.start.max(self.start)..range.end.min(self.below);
        Candidate::Unindexed { range, why }
    }

    /// The next version of the piece that is being read.
    fn next_of_piece(&mut self) -> Result<Option<Candidate>, IndexError> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let piece = &self.pieces[current.piece];
        let (from, to) = (piece.range.start.max(self.start), piece.range.end.min(self.below));
        let version = match &mut current.versions {
            PieceVersions::Frozen(active, cursor) => {
                let mut versions = std::iter::from_fn(|| active.next(cursor));
                Ok(versions.find(|next| next.version.offset < to).map(|next| next.version))
            }
            PieceVersions::File(versions) => {
                versions.find(|next| next.as_ref().map_or(true, |v| v.offset < to)).transpose()
            }
        };
        match version {
            Ok(Some(version)) if version.offset >= from => {
                Ok(self.name(version.offset, version.tombstone))
            }
            Ok(_) => {
                self.current = None;
                Ok(None)
            }
            Err(error) => self.give_up(error),
        }
    }

    /// A damaged file becomes a gap, for this reader at once and for all others.
    fn give_up(&mut self, error: IndexError) -> Result<Option<Candidate>, IndexError> {
        let current = self.current.take();
        let Some(current) = current.filter(|_| error.is_damage()) else { return Err(error) };
        let piece = &self.pieces[current.piece];
        let why = Why::Damaged(error);
        self.index.state().give_up(piece.id, &why);
        Ok(Some(self.gap(&piece.range, why)))
    }
}

impl Iterator for Candidates<'_> {
    type Item = Result<Candidate, IndexError>;

    fn next(&mut self) -> Option<Result<Candidate, IndexError>> {
        let next = self.step().transpose();
        if matches!(next, Some(Err(_))) {
            (self.left, self.active_has_more, self.current) = (0, false, None);
            self.active = Vec::new().into_iter();
        }
        next
    }
}
