//! What is to be done next, and taking in what was done.
//!
//! One piece of work at a time, the most urgent first: frozen maps take memory, a
//! manifest that is not saved costs work after a crash, a gap costs every lookup a
//! scan, merging makes lookups a little faster, and removing files can wait.

use super::KeyIndex;
use super::piece::{Body, IndexFile, Piece, Why};
use super::state::State;
use super::work::{Built, Done, Input, Task, Work};
use crate::{IndexError, Mutation};
use pyralog_model::Offset;
use std::ops::Range;
use std::sync::Arc;

/// Versions of a file of the lowest tier; each tier has `fan_out` times more.
const TIER_VERSIONS: u64 = 1 << 16;

impl KeyIndex {
    /// The next work, if there is any and nobody has some. Whatever comes of it is to be
    /// given to [`KeyIndex::install`]; after an error wait a while before planning again.
    pub fn plan(&self) -> Option<Work> {
        let mut state = self.state();
        if state.working {
            return None;
        }
        let task = self.next_task(&mut state)?;
        state.working = true;
        Some(Work { place: Arc::clone(&self.place), task })
    }

    fn next_task(&self, state: &mut State) -> Option<Task> {
        build(state)
            .or_else(|| self.save(state))
            .or_else(|| fill(state, self.options.fill_offsets_max))
            .or_else(|| merge(state, self.options.fan_out.max(2)))
            .or_else(|| self.sweep(state))
    }

    /// Takes in what [`Work::run`] gave, and makes other work possible. The error, if it
    /// was one, is given back; nothing that was known is lost by it.
    ///
    /// # Errors
    /// That of the work.
    pub fn install(&self, outcome: Result<Built, IndexError>) -> Result<(), IndexError> {
        let mut state = self.state();
        state.working = false;
        match outcome.map(|built| built.done) {
            Ok(Done::File { ids, range, pphm, number }) => {
                state.replace(&ids, &range, IndexFile { pphm, number });
            }
            Ok(Done::Saved(sequence)) => state.saved(sequence),
            Ok(Done::Swept(paths)) => {
                state.retired.retain(|retired| !paths.contains(&retired.path));
            }
            Err(error) => {
                // Or merging would never go on.
                state.give_up_damaged(&error);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes other work possible although what was planned is lost, with its thread say.
    pub fn abandon(&self) {
        self.state().working = false;
    }

    fn save(&self, state: &State) -> Option<Task> {
        // The planted bug is in a hurry to remove.
        let hurried = self.place.planted.is(Mutation::RemoveBeforeSave);
        if state.is_saved() || (hurried && !state.retired.is_empty()) {
            return None;
        }
        Some(Task::Save { sequence: state.sequence, manifest: state.manifest(&self.place) })
    }

    fn sweep(&self, state: &State) -> Option<Task> {
        let may_go = |retired: &&super::state::Retired| state.may_go(retired, self.place.planted);
        let paths: Vec<_> =
            state.retired.iter().filter(may_go).map(|retired| retired.path.clone()).collect();
        (!paths.is_empty()).then_some(Task::Sweep { paths })
    }
}

fn build(state: &mut State) -> Option<Task> {
    let piece = state.pieces.iter().find(|piece| piece.frozen().is_some())?;
    let (id, range) = (piece.id, piece.range.clone());
    let frozen = Arc::clone(piece.frozen()?);
    Some(Task::Build { id, range, frozen, number: state.number() })
}

/// The oldest gap, or its first part if it is long.
fn fill(state: &mut State, offsets_max: u64) -> Option<Task> {
    let at = state.pieces.iter().position(Piece::is_gap)?;
    let (id, range) = (state.pieces[at].id, state.pieces[at].range.clone());
    let cut = Offset(range.start.0.saturating_add(offsets_max.max(1)));
    if cut < range.end {
        let rest = state.piece(cut..range.end, Body::Gap(Why::NotBuilt));
        let pieces = Arc::make_mut(&mut state.pieces);
        pieces[at].range.end = cut;
        pieces.insert(at + 1, rest);
    }
    let range = range.start..range.end.min(cut);
    Some(Task::Fill { id, range, number: state.number() })
}

fn merge(state: &mut State, fan_out: usize) -> Option<Task> {
    let run = run_to_merge(&state.pieces, fan_out)?;
    let pieces = &state.pieces[run];
    let range = pieces.first()?.range.start..pieces.last()?.range.end;
    let ids = pieces.iter().map(|piece| piece.id).collect();
    let input = |piece: &Piece| {
        Some(Input { pphm: Arc::clone(&piece.file()?.pphm), range: piece.range.clone() })
    };
    let inputs = pieces.iter().filter_map(input).collect();
    Some(Task::Merge { ids, range, inputs, number: state.number() })
}

/// At least `fan_out` files side by side, none of a higher tier than the others need:
/// the smallest tier first, the oldest run of it, at most twice as many at once.
fn run_to_merge(pieces: &[Piece], fan_out: usize) -> Option<Range<usize>> {
    let tiers: Vec<Option<u32>> = pieces.iter().map(|piece| tier(piece, fan_out)).collect();
    let greatest = tiers.iter().flatten().max().copied()?;
    (0..=greatest).find_map(|highest| {
        let fits = |at: usize| tiers[at].is_some_and(|tier| tier <= highest);
        let mut begin = 0;
        for at in 0..=pieces.len() {
            if at < pieces.len() && fits(at) {
                continue;
            }
            if at - begin >= fan_out {
                return Some(begin..at.min(begin + 2 * fan_out));
            }
            begin = at + 1;
        }
        None
    })
}

fn tier(piece: &Piece, fan_out: usize) -> Option<u32> {
    let versions = piece.file()?.pphm.facts().versions;
    Some((versions / TIER_VERSIONS).checked_ilog(fan_out as u64).map_or(0, |tier| tier + 1))
}
