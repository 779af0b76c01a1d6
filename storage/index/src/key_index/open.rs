//! Opening an index: what the manifest names and what is whole stays, everything else
//! is a gap.

use super::active::Active;
use super::manifest::{self, KeyManifest, NamedFile};
use super::piece::{Body, IndexFile, Why};
use super::state::{Retired, State};
use super::{KeyIndex, KeyIndexOptions, Place};
use crate::error::{io_error, sync_error};
use crate::{BlockCache, IndexError, Mutation, Pphm, build};
use pyralog_env::Disk;
use pyralog_model::Offset;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What files of an index end with.
pub(crate) const FILE: &str = "pphm";

/// An index as it was found.
#[derive(Debug)]
pub struct Opened {
    /// The index, ready for records from the end of what is sealed.
    pub index: KeyIndex,
    /// Sealed ranges that are to be built again from their records: `plan` asks for them.
    pub gaps: Vec<Range<Offset>>,
    /// What was found damaged, for whoever should hear of it.
    pub damages: Vec<IndexError>,
}

impl KeyIndex {
    /// Opens the index in `dir`, making the directory if there is none. `sealed` is what
    /// lies in sealed segments: it is covered by files, or named as gaps. What files say
    /// about offsets past its end is cut off, durably, and records from there on are to
    /// be inserted again. Blocks are kept in memory while `cache` has room.
    ///
    /// # Errors
    /// The disk's own, or `NewerVersion`. Damage is no error: it is named and built anew.
    pub fn open(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        options: KeyIndexOptions,
        sealed: Range<Offset>,
        cache: &Arc<BlockCache>,
    ) -> Result<Opened, IndexError> {
        let planted = options.planted();
        make_dir(&**disk, dir)?;
        let mut damages = Vec::new();
        let manifest = match KeyManifest::read(&**disk, dir) {
            Ok(manifest) => manifest.filter(|manifest| manifest.of == options.of),
            Err(error) if error.is_damage() => {
                damages.push(error);
                None
            }
            Err(error) => return Err(error),
        };
        let hash_seed = manifest.as_ref().map_or(options.hash_seed, |known| known.hash_seed);
        let place = Place {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            of: options.of,
            hash_seed,
            cache: Arc::clone(cache),
            planted,
            saved: Mutex::new(0),
        };
        let named = manifest.as_ref().map_or(&[][..], |manifest| &manifest.files);
        remove_leftovers(&place, named)?;
        let next_number = manifest.as_ref().map_or(1, |manifest| manifest.next_number);
        let mut state = State::new(Active::new(sealed.end), sealed.start, next_number);
        add_pieces(&mut state, &place, named, &sealed, &mut damages)?;
        if manifest.as_ref() == Some(&state.manifest(&place)) {
            state.saved(state.sequence);
        }
        // Offsets past the end may be given anew at once, and no file may speak for them
        // at the next start: that cannot wait for a work.
        let is_cut = named.last().is_some_and(|file| file.range.end > sealed.end);
        if is_cut && !planted.is(Mutation::OpenCutNotSaved) {
            state.manifest(&place).save(state.sequence, &place)?;
            state.saved(state.sequence);
        }
        let gaps = state.gaps();
        let index = KeyIndex { place: Arc::new(place), options, state: Mutex::new(state) };
        Ok(Opened { index, gaps, damages })
    }
}

fn make_dir(disk: &dyn Disk, dir: &Path) -> Result<(), IndexError> {
    if disk.exists(dir).map_err(io_error("cannot look at", dir))? {
        return Ok(());
    }
    disk.create_dir_all(dir).map_err(io_error("cannot create", dir))?;
    match dir.parent() {
        Some(parent) => disk.sync_dir(parent).map_err(sync_error(parent)),
        None => Ok(()),
    }
}

/// Removes files of an index that the manifest does not name: what was being written,
/// and what was merged.
fn remove_leftovers(place: &Place, named: &[NamedFile]) -> Result<(), IndexError> {
    let kept: BTreeSet<PathBuf> =
        named.iter().map(|file| place.file(file.number, file.base)).collect();
    let entries = place.disk.list(&place.dir).map_err(io_error("cannot list", &place.dir))?;
    for entry in entries {
        let path = place.dir.join(&entry.name);
        if !entry.is_dir && is_ours(&entry.name) && !kept.contains(&path) {
            place.disk.remove_file(&path).map_err(io_error("cannot remove", &path))?;
        }
    }
    Ok(())
}

/// `….pphm`, `….pphm.new`, `….pphm.run7` or an unfinished manifest.
pub(crate) fn is_ours(name: &str) -> bool {
    let ours = |ending: &str| {
        ending == build::UNFINISHED
            || ending
                .strip_prefix(build::RUN)
                .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_file = |name: &str| name.rsplit_once('.').is_some_and(|(_, ending)| ending == FILE);
    name == manifest::NAME_UNFINISHED
        || is_file(name)
        || name.rsplit_once('.').is_some_and(|(file, ending)| is_file(file) && ours(ending))
}

/// Covers what is sealed with the files that are whole, and with gaps between them.
fn add_pieces(
    state: &mut State,
    place: &Place,
    named: &[NamedFile],
    sealed: &Range<Offset>,
    damages: &mut Vec<IndexError>,
) -> Result<(), IndexError> {
    let mut pieces = Vec::new();
    let mut covered = sealed.start;
    for file in named {
        let path = place.file(file.number, file.base);
        let range = file.range.start.max(covered)..file.range.end.min(sealed.end);
        if range.start >= range.end {
            state.retired.push(Retired { path, pphm: None, sequence: state.sequence });
            continue;
        }
        let body = match open_file(place, file, &path) {
            Ok(pphm) => Body::File(IndexFile { pphm: Arc::new(pphm), number: file.number }),
            Err(error @ IndexError::NewerVersion { .. }) => return Err(error),
            Err(error) => {
                state.retired.push(Retired { path, pphm: None, sequence: state.sequence });
                damages.push(error.clone());
                Body::Gap(Why::Damaged(error))
            }
        };
        if covered < range.start {
            pieces.push(state.piece(covered..range.start, Body::Gap(Why::NotBuilt)));
        }
        covered = range.end;
        pieces.push(state.piece(range, body));
    }
    if covered < sealed.end {
        pieces.push(state.piece(covered..sealed.end, Body::Gap(Why::NotBuilt)));
    }
    state.pieces = Arc::new(pieces);
    Ok(())
}

/// Opens a file and makes sure that it is the one that was named.
fn open_file(place: &Place, file: &NamedFile, path: &Path) -> Result<Pphm, IndexError> {
    let pphm = Pphm::open_planted(&place.disk, path, &place.cache, place.planted)?;
    let facts = pphm.facts();
    let own = &facts.spec.range;
    let is_it = facts.header_crc() == file.header_crc
        && facts.spec.of == place.of
        && facts.spec.hash_seed == place.hash_seed
        && own.start <= file.range.start
        && own.end >= file.range.end;
    if is_it { Ok(pphm) } else { Err(pphm.damaged(0, "it is not the file that was named")) }
}
