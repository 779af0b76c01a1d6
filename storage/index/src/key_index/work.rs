//! Work that is done away from those who write and read: it holds no lock and needs
//! the index only to be taken in.

use super::Place;
use super::active::Active;
use super::manifest::KeyManifest;
use crate::build::merge_planted;
use crate::error::io_error;
use crate::{Builder, Entry, IndexError, Pphm, Reducer};
use pyralog_model::Offset;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a work is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// A frozen map becomes a file.
    Build,
    /// A gap becomes a file: the caller gives the entries of its records.
    Fill,
    /// Files become one.
    Merge,
    /// The manifest is replaced.
    Save,
    /// Files that nobody needs are removed.
    Sweep,
}

/// Something to be done; see [`super::KeyIndex::plan`].
#[derive(Debug)]
pub struct Work {
    pub(super) place: Arc<Place>,
    pub(super) task: Task,
}

#[derive(Debug)]
pub(super) enum Task {
    Build { id: u64, range: Range<Offset>, number: u64, frozen: Arc<Active> },
    Fill { id: u64, range: Range<Offset>, number: u64 },
    Merge { ids: Vec<u64>, range: Range<Offset>, number: u64, inputs: Vec<Input> },
    Save { sequence: u64, manifest: KeyManifest },
    Sweep { paths: Vec<PathBuf> },
}

/// A file that is merged, and what of it counts.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) pphm: Arc<Pphm>,
    pub(super) range: Range<Offset>,
}

/// What came of a work; see [`super::KeyIndex::install`].
#[derive(Debug)]
pub struct Built {
    pub(super) done: Done,
}

#[derive(Debug)]
pub(super) enum Done {
    File { ids: Vec<u64>, range: Range<Offset>, pphm: Arc<Pphm>, number: u64 },
    Saved(u64),
    Swept(Vec<PathBuf>),
}

impl Work {
    /// What it is about.
    pub fn kind(&self) -> WorkKind {
        match self.task {
            Task::Build { .. } => WorkKind::Build,
            Task::Fill { .. } => WorkKind::Fill,
            Task::Merge { .. } => WorkKind::Merge,
            Task::Save { .. } => WorkKind::Save,
            Task::Sweep { .. } => WorkKind::Sweep,
        }
    }

    /// The offsets whose records [`Work::run`] needs, each with a key as an entry under
    /// `KeyIndex::hash`, in any order. Only filling a gap needs them.
    pub fn reads(&self) -> Option<Range<Offset>> {
        match &self.task {
            Task::Fill { range, .. } => Some(range.clone()),
            _ => None,
        }
    }

    /// Does it, with about `budget_bytes` of memory.
    ///
    /// # Errors
    /// The disk's own, that of the entries, or `Damaged` if a file to be merged is.
    pub fn run(
        self,
        budget_bytes: usize,
        entries: impl IntoIterator<Item = Result<Entry, IndexError>>,
    ) -> Result<Built, IndexError> {
        let place = &*self.place;
        let done = match self.task {
            Task::Build { id, range, number, frozen } => {
                let entries = frozen.entries(&range).map(Ok);
                file(place, vec![id], range.clone(), number, |path| {
                    build(place, path, &range, budget_bytes, entries)
                })?
            }
            Task::Fill { id, range, number } => {
                file(place, vec![id], range.clone(), number, |path| {
                    build(place, path, &range, budget_bytes, entries)
                })?
            }
            Task::Merge { ids, range, number, inputs } => {
                file(place, ids, range.clone(), number, |path| merge(place, path, range, inputs))?
            }
            Task::Save { sequence, manifest } => {
                manifest.save(sequence, place)?;
                Done::Saved(sequence)
            }
            Task::Sweep { paths } => {
                paths.iter().try_for_each(|path| remove(place, path))?;
                Done::Swept(paths)
            }
        };
        Ok(Built { done })
    }
}

/// Makes a file and opens it.
fn file(
    place: &Place,
    ids: Vec<u64>,
    range: Range<Offset>,
    number: u64,
    make: impl FnOnce(&Path) -> Result<(), IndexError>,
) -> Result<Done, IndexError> {
    let path = place.file(number, range.start);
    make(&path)?;
    match Pphm::open_planted(&place.disk, &path, &place.cache, place.planted) {
        Ok(pphm) => Ok(Done::File { ids, range, pphm: Arc::new(pphm), number }),
        Err(error) => {
            // Nobody will name it. If this fails too it is removed when the index opens.
            drop(place.disk.remove_file(&path));
            Err(error)
        }
    }
}

fn build(
    place: &Place,
    path: &Path,
    range: &Range<Offset>,
    budget_bytes: usize,
    entries: impl IntoIterator<Item = Result<Entry, IndexError>>,
) -> Result<(), IndexError> {
    let spec = place.spec(range.clone());
    let mut builder = Builder::new(&place.disk, path, spec, Arc::new(Reducer::All), budget_bytes);
    builder.planted = place.planted;
    for entry in entries {
        builder.push(entry?)?;
    }
    builder.finish().map(drop)
}

fn merge(
    place: &Place,
    path: &Path,
    range: Range<Offset>,
    inputs: Vec<Input>,
) -> Result<(), IndexError> {
    let inputs: Vec<(Arc<Pphm>, Range<Offset>)> =
        inputs.into_iter().map(|input| (input.pphm, input.range)).collect();
    let spec = place.spec(range);
    merge_planted(&place.disk, path, &spec, &Reducer::All, &inputs, place.planted).map(drop)
}

fn remove(place: &Place, path: &Path) -> Result<(), IndexError> {
    match place.disk.remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(io_error("cannot remove", path)),
    }
}
