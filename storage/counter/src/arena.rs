//! The arena: all counters of an Obelisk in one sparse file.
//!
//! ```text
//!  ├─ header, two copies ─┼─ slots, 64 bytes each ─┼─ durable blocks, in pairs ─┤
//!  0                  65,536                  durable_at                 file_bytes
//!
//!   claim ──compare-and-swap──▶ slot (mapped)        value ≤ bound, always
//!   raise ──whole block, fdatasync──▶ durable block ──then──▶ bound
//! ```
//!
//! The file is as long as `counter_file_size` says and takes disk space only for
//! counters that exist: 128 bytes each, 16 KiB for every 128 of them.
//!
//! - A **slot** holds the last value issued. It has no checksum and is believed
//!   only if every incarnation that may have issued since it was known to be right
//!   has ended with the clean mark.
//! - A **durable block** holds the [entries](crate::entry) of 128 counters: a
//!   bound, and the incarnation that raised it. It has two alternating copies,
//!   written whole from a private buffer, never through the mapping.
//! - The [**header**](header) says how long everything is, counts the starts
//!   (*incarnations*), and carries the clean mark.
//!
//! A start reads the header only and durably clears the mark before anything else.
//! A counter is activated when it is first asked for: it goes on at its value if
//! that can be believed, else at its bound; and before its first value is issued
//! its bound is raised under the new incarnation. So: exact after a clean stop, a
//! gap of at most a block after any other, never a value twice.

mod active;
mod area;
mod header;
mod layout;
mod raise;
mod start;

pub(crate) use header::{Bad, Header};
pub(crate) use layout::{GROUP, Layout, slot_at};
pub use raise::{Raise, Raised, Refused, Wish};
pub use start::StartReport;

use crate::cells::{CellSource, Cells, Windows};
use crate::counter_handle::{Counter, CounterHandle, Health};
use crate::entry::Entry;
use crate::error::CounterError;
#[cfg(any(test, feature = "mutants"))]
use crate::mutation::Mutation;
use crate::mutation::Planted;
use active::Active;
use area::Area;
use pyralog_env::Disk;
use pyralog_model::{CounterNumber, StoreId};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct ArenaOptions {
    /// Apparent length of a new file (`counter_file_size`). An existing one keeps
    /// its own.
    pub file_bytes: u64,
    /// Values per raise: the longest gap after an unclean stop.
    pub block: u64,
    /// Raise exactly by what is asked for, never ahead: no gaps but of values that
    /// were asked for and not answered, and a sync before each answer.
    pub fsync_on_increment: bool,
    /// A planted bug.
    #[cfg(any(test, feature = "mutants"))]
    pub mutation: Option<Mutation>,
}

impl Default for ArenaOptions {
    fn default() -> ArenaOptions {
        ArenaOptions {
            file_bytes: 1 << 40,
            block: 100_000,
            fsync_on_increment: false,
            #[cfg(any(test, feature = "mutants"))]
            mutation: None,
        }
    }
}

/// The counters of one file. Methods that say so block on the disk; no two of
/// those run at once.
#[derive(Debug)]
pub struct Arena {
    header: Header,
    /// Values per raise; 0 if each increment is synced.
    block: u64,
    cells: Arc<dyn Cells>,
    health: Arc<Health>,
    planted: Planted,
    area: Mutex<Area>,
    active: Mutex<Active>,
    windows: Mutex<Windows>,
}

impl Arena {
    /// Opens the arena at `path`, or makes one there; its directory exists. Blocks.
    ///
    /// # Errors
    /// When the file cannot be made, read or synced, or is not of this store.
    pub fn open(
        disk: &Arc<dyn Disk>,
        path: &Path,
        store: StoreId,
        source: &dyn CellSource,
        options: ArenaOptions,
    ) -> Result<(Arena, StartReport), CounterError> {
        let planted = Planted::new_if_compiled(&options);
        let started = start::start(disk, path, store, &options, planted)?;
        let cells = source.open(path, &started.file).map_err(CounterError::io(path, "map"))?;
        let layout = started.header.layout;
        let windows = Windows::new(Arc::clone(&cells), layout::SLOTS_AT, layout.durable_at());
        let report = StartReport { cells: cells.kind(), ..started.report };
        let arena = Arena {
            header: started.header,
            block: if options.fsync_on_increment { 0 } else { options.block.max(1) },
            cells,
            health: Arc::default(),
            planted,
            area: Mutex::new(Area::new(started.file, path, store, layout)),
            active: Mutex::default(),
            windows: Mutex::new(windows),
        };
        Ok((arena, report))
    }

    /// Makes counters, beginning at 0, and gives them disk space; those that exist
    /// stay as they are. They are durable with their first raise: after a power
    /// cut before that, make them again. Blocks.
    ///
    /// # Errors
    /// `NoSlot` past the end of the file, `DiskFull`, and whatever the disk says;
    /// some may have been made.
    pub fn create(&self, numbers: &[CounterNumber]) -> Result<(), CounterError> {
        let mut area = lock(&self.area);
        self.health.check()?;
        area.create(numbers)
    }

    /// The handle of a counter. Blocks if nobody holds one already.
    ///
    /// # Errors
    /// `NotCreated`, `CounterDamaged`, and whatever the disk says.
    pub fn counter(&self, number: CounterNumber) -> Result<CounterHandle, CounterError> {
        if let Some(counter) = self.active_counter(number) {
            return Ok(counter);
        }
        let mut area = lock(&self.area);
        self.health.check()?;
        Ok(CounterHandle { counter: self.activate(&mut area, number)? })
    }

    /// The handle of a counter of which somebody holds one. Never blocks.
    pub fn active_counter(&self, number: CounterNumber) -> Option<CounterHandle> {
        let counter = lock(&self.active).get(number)?;
        Some(CounterHandle { counter })
    }

    /// The last value issued, or after an unclean stop the one that will be gone
    /// on from. Blocks if nobody holds a handle.
    ///
    /// # Errors
    /// As `counter`.
    pub fn value(&self, number: CounterNumber) -> Result<u64, CounterError> {
        if let Some(counter) = self.active_counter(number) {
            return Ok(counter.value());
        }
        let area = lock(&self.area);
        let entry = area.entry(number)?;
        Ok(self.resume_at(&area, number, &entry)?.0)
    }

    /// The bound in the file. No value above it was ever issued. Blocks.
    ///
    /// # Errors
    /// As `counter`.
    pub fn bound(&self, number: CounterNumber) -> Result<u64, CounterError> {
        Ok(lock(&self.area).entry(number)?.bound)
    }

    /// How many counters somebody holds a handle of.
    pub fn count(&self) -> usize {
        lock(&self.active).count()
    }

    /// How many times this arena was started; this start included.
    pub fn incarnation(&self) -> u64 {
        self.header.incarnation
    }

    /// Why nothing more is issued, if a sync has failed.
    pub fn failure(&self) -> Option<&str> {
        self.health.failure()
    }

    /// Issues nothing more and writes nothing more: something that has to be durable
    /// failed elsewhere in the same data directory.
    pub fn stop(&self, cause: &str) {
        self.health.fail(cause.to_owned());
        // A raise that is under way would take the bounds back.
        let _area = lock(&self.area);
        self.refuse_all();
    }

    /// Ends cleanly: the exact values become durable and then the mark that says
    /// so. Whoever issues must have stopped before: a claim that runs meanwhile
    /// could be issued again. Later ones are refused. Blocks.
    ///
    /// # Errors
    /// `Failed` after a failure; then, and when a sync fails now, the next start
    /// is an unclean one. `Closed` the second time.
    pub fn close_clean(&self) -> Result<(), CounterError> {
        let mut area = lock(&self.area);
        self.health.check()?;
        self.health.close();
        self.refuse_all();
        let values = self.cells.flush().map_err(CounterError::io(area.path(), "write values"));
        values.and_then(|()| area.sync()).and_then(|()| {
            let header = Header { closed: true, seq: self.header.seq + 1, ..self.header };
            area.write_header(&header)
        })
    }

    /// The one place where a counter comes to life. The area is locked, so that
    /// no raise is between its write and its sync.
    fn activate(
        &self,
        area: &mut Area,
        number: CounterNumber,
    ) -> Result<Arc<Counter>, CounterError> {
        if let Some(counter) = lock(&self.active).get(number) {
            return Ok(counter);
        }
        let entry = area.entry(number)?;
        let (value, believed) = self.resume_at(area, number, &entry)?;
        // What is not raised in this incarnation, or not synced, issues nothing.
        let raised = entry.incarnation == self.header.incarnation && !area.is_unsynced(number);
        let (view, word) = self.slot(area, number)?;
        let counter = Arc::new(Counter {
            number,
            view,
            word,
            bound: AtomicU64::new(if raised { entry.bound } else { value }),
            block: self.block,
            health: Arc::clone(&self.health),
            planted: self.planted,
        });
        if !believed {
            // A power cut may have taken the slot's space along and left the entry:
            // a full disk has to be an error here, not a SIGBUS at the store.
            area.take_slot(number)?;
            counter.begin_at(value);
        }
        lock(&self.active).insert(&counter);
        Ok(counter)
    }

    /// Where a counter that nobody holds goes on, and if that is its mapped value.
    fn resume_at(
        &self,
        area: &Area,
        number: CounterNumber,
        entry: &Entry,
    ) -> Result<(u64, bool), CounterError> {
        let (view, word) = self.slot(area, number)?;
        let value = view.word(word).load(Ordering::Acquire);
        let believed = entry.incarnation > self.header.unclean
            || start::crc_fits(self.planted, &*view, word, value);
        // A value above its bound was never issued: the slot has rotted.
        if believed && value <= entry.bound { Ok((value, true)) } else { Ok((entry.bound, false)) }
    }

    fn slot(
        &self,
        area: &Area,
        number: CounterNumber,
    ) -> Result<(Arc<dyn crate::cells::View>, usize), CounterError> {
        // A page that cannot be read is an error here, and a SIGBUS when mapped.
        area.check_slot(number)?;
        let found = lock(&self.windows).find(layout::slot_at(number));
        found.map_err(CounterError::io(area.path(), "map a window of"))
    }

    /// From now on nothing more is issued.
    fn refuse_all(&self) {
        lock(&self.active).each(|counter| counter.bound.store(0, Ordering::SeqCst));
    }

    fn fail(&self, error: CounterError) -> CounterError {
        let cause = error.to_string();
        self.health.fail(cause.clone());
        self.refuse_all();
        CounterError::Failed { cause }
    }
}

impl Planted {
    #[cfg(any(test, feature = "mutants"))]
    fn new_if_compiled(options: &ArenaOptions) -> Planted {
        Planted::new(options.mutation)
    }

    #[cfg(not(any(test, feature = "mutants")))]
    fn new_if_compiled(_: &ArenaOptions) -> Planted {
        Planted::default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves nothing half done that is believed: what counts is
    // in the file.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
