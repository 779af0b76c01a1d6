//! The notice board of one supervisor: who its children are right now.
//!
//! The supervisor alone writes it. Children read it to find their siblings,
//! and listings read it, so that neither has to ask a supervisor which may be
//! busy. Boards hang together as the supervisors do: down by the entry of a
//! child supervisor, up by a weak reference.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use ractor::ActorCell;

use crate::core::Phase;
use crate::spec::Ask;
use crate::{ChildSpec, Strategy, Vitals};

pub(crate) struct Board {
    pub(crate) path: String,
    pub(crate) strategy: OnceLock<Strategy>,
    above: Option<(Weak<Board>, u64)>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    entries: BTreeMap<u64, Entry>,
    places: HashMap<String, u64>,
}

/// One child as others may see it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) path: Arc<str>,
    pub(crate) kind: &'static str,
    pub(crate) is_supervisor: bool,
    pub(crate) restart: &'static str,
    pub(crate) phase: Phase,
    pub(crate) restarts: u64,
    pub(crate) generation: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) vitals: Vitals,
    pub(crate) cell: Option<ActorCell>,
    pub(crate) ask: Option<Ask>,
    /// The child's own board, when it is a supervisor.
    pub(crate) below: Option<Arc<Board>>,
}

impl Board {
    pub(crate) fn root(name: &str) -> Arc<Board> {
        Arc::new(Board::new(name.to_owned(), None))
    }

    pub(crate) fn below(self: &Arc<Board>, place: u64, path: &str) -> Arc<Board> {
        Arc::new(Board::new(path.to_owned(), Some((Arc::downgrade(self), place))))
    }

    fn new(path: String, above: Option<(Weak<Board>, u64)>) -> Board {
        Board { path, strategy: OnceLock::new(), above, table: Mutex::default() }
    }

    pub(crate) fn add(&self, place: u64, spec: &ChildSpec) {
        let entry = Entry {
            id: spec.id.clone(),
            path: format!("{}/{}", self.path, spec.id).into(),
            kind: spec.kind,
            is_supervisor: spec.is_supervisor(),
            restart: spec.restart.name(),
            phase: Phase::Down,
            restarts: 0,
            generation: 0,
            last_error: None,
            vitals: Vitals::default(),
            cell: None,
            ask: None,
            below: None,
        };
        let mut table = self.table();
        table.places.insert(spec.id.clone(), place);
        table.entries.insert(place, entry);
    }

    pub(crate) fn remove(&self, place: u64) {
        let mut table = self.table();
        if let Some(entry) = table.entries.remove(&place) {
            table.places.remove(&entry.id);
        }
    }

    /// The place of the child with this id.
    pub(crate) fn place(&self, id: &str) -> Option<u64> {
        self.table().places.get(id).copied()
    }

    pub(crate) fn change<T>(&self, place: u64, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.table().entries.get_mut(&place).map(change)
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.table().entries.values().cloned().collect()
    }

    /// The actor called `id` among the children before `place`, here or above.
    pub(crate) fn find_before(self: &Arc<Board>, place: u64, id: &str) -> Option<ActorCell> {
        let (mut board, mut place) = (self.clone(), place);
        loop {
            if let Some(entry) = board.resolve(id, place) {
                return entry.cell;
            }
            let (above, own_place) = board.above.as_ref()?;
            (place, board) = (*own_place, above.upgrade()?);
        }
    }

    /// The entry at a path that starts below this board, such as `store/committer`.
    pub(crate) fn at(&self, relative: &str) -> Option<Entry> {
        self.resolve(relative, u64::MAX)
    }

    // An id may itself hold slashes, so every border is tried.
    fn resolve(&self, relative: &str, before: u64) -> Option<Entry> {
        if let Some(entry) = self.entry(relative, before) {
            return Some(entry);
        }
        relative.match_indices('/').find_map(|(border, _)| {
            let below = self.entry(&relative[..border], before)?.below?;
            below.resolve(&relative[border + 1..], u64::MAX)
        })
    }

    fn entry(&self, id: &str, before: u64) -> Option<Entry> {
        let table = self.table();
        let place = table.places.get(id).filter(|place| **place < before)?;
        table.entries.get(place).cloned()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
