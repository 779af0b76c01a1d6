//! What a partition of a weaker log begins above after a restart: the file that makes
//! losing records harmless.
//!
//! Such a log may come back with fewer records than were read from it, or with none.
//! What must not come back is an offset with another record, or an epoch with other
//! records, for then nobody who has read could tell. So before the first record of an
//! epoch is taken, and before offsets of a log in memory are given out, a *floor* above
//! them is made durable: a start never begins below it.
//!
//! Two alternating copies of 4,096 bytes; the one with the greater sequence that is
//! whole counts, and the other is written next:
//!
//! ```text
//! copy   ├─ "PYRAFLR1" 8 ─┼─ version 2 ─┼─ durability 1 ─┼─ 0 1 ─┼─ CRC 4 ─┼─ …
//!        … ─ log 8 ─┼─ partition 4 ─┼─ epoch 4 ─┼─ offset 8 ─┼─ sequence 8 ─┼─ zeros ─┤
//! ```
//!
//! Integers are little-endian. Durability is 1 for `page-cache` and 2 for `memory`. The
//! CRC-32C covers the store id, bytes 0..12 and 16..48. A log without this file is
//! one of `fsync`.
//!
//! Version history: 1, the first.

mod copy;

use crate::error::{io_error, is_disk_full, sync_error};
use crate::{LogError, paths};
use copy::{COPY_BYTES, Kept};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::{Durability, Epoch, Offset, PartitionId, StoreId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use copy::read_copies;

/// What a start begins above.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bounds {
    /// Every offset that was ever given out lies below. 0 where records tell.
    pub(crate) offset: Offset,
    /// No leadership was of a later epoch.
    pub(crate) epoch: Epoch,
}

/// The file of one partition.
#[derive(Debug)]
pub(crate) struct Floor {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    store: StoreId,
    kept: Kept,
    /// False as long as the name and the copy that counts may have been seen and not be
    /// durable: whoever wrote them may have been killed before the sync. A start that
    /// gives nothing out need not care, and does not wait for it.
    is_durable: bool,
    failed: Option<String>,
}

impl Floor {
    /// Makes the file, durably, or finds it. The directory exists.
    pub(crate) fn create(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        store: StoreId,
        partition: PartitionId,
        durability: Durability,
    ) -> Result<Floor, LogError> {
        if let Some(floor) = Floor::find(disk, dir, store, partition)? {
            return Ok(floor);
        }
        let (path, new) = (paths::floor_file(dir), paths::new_floor_file(dir));
        if disk.exists(&new).map_err(io_error("cannot look at", &new))? {
            disk.remove_file(&new).map_err(io_error("cannot remove", &new))?;
        }
        let file = disk.create(&new).map_err(io_error("cannot create", &new))?;
        let first = Kept { durability, partition, bounds: Bounds::default(), sequence: 1 };
        // The second copy, too: its room is there when it is written.
        for kept in [Kept { sequence: 0, ..first }, first] {
            let written = file.write_all_at(&kept.encode(store)[..], kept.position());
            written.map_err(io_error("cannot write", &new))?;
        }
        file.sync_all().map_err(io_error("cannot sync", &new))?;
        disk.rename(&new, &path).map_err(io_error("cannot rename", &new))?;
        disk.sync_dir(dir).map_err(io_error("cannot sync", dir))?;
        Ok(Floor::opened(disk, dir, file, store, first).known_durable())
    }

    /// Opens the file, if there is one.
    pub(crate) fn find(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        store: StoreId,
        partition: PartitionId,
    ) -> Result<Option<Floor>, LogError> {
        let path = paths::floor_file(dir);
        if !disk.exists(&path).map_err(io_error("cannot look at", &path))? {
            return Ok(None);
        }
        let file = disk.open(&path).map_err(io_error("cannot open", &path))?;
        let copies = read_copies(&*file, &path, store, partition)?;
        let Some(kept) = copies.into_iter().flatten().max_by_key(|kept| kept.sequence) else {
            let what = "neither copy of the floor is whole; put the file back from a backup".into();
            return Err(LogError::Corrupt { path, position: 0, what });
        };
        Ok(Some(Floor::opened(disk, dir, file, store, kept)))
    }

    fn opened(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        file: Arc<dyn DiskFile>,
        store: StoreId,
        kept: Kept,
    ) -> Floor {
        Floor {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            file,
            path: paths::floor_file(dir),
            store,
            kept,
            is_durable: false,
            failed: None,
        }
    }

    fn known_durable(self) -> Floor {
        Floor { is_durable: true, ..self }
    }

    pub(crate) fn durability(&self) -> Durability {
        self.kept.durability
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.kept.bounds
    }

    /// Raises what is lower than in `to`, durably. What lies at or above the old floor
    /// may be given out once this has returned.
    ///
    /// # Errors
    /// `DiskFull` may be tried again; any other error is final.
    pub(crate) fn raise(&mut self, to: Bounds) -> Result<(), LogError> {
        let Bounds { offset, epoch } = self.kept.bounds;
        self.set(Bounds { offset: offset.max(to.offset), epoch: epoch.max(to.epoch) })
    }

    /// As `raise`, but lowers as well: for one who will never give out anything again.
    pub(crate) fn set(&mut self, bounds: Bounds) -> Result<(), LogError> {
        if let Some(cause) = &self.failed {
            return Err(LogError::Failed { cause: cause.clone() });
        }
        if bounds == self.kept.bounds && self.is_durable {
            return Ok(());
        }
        let done = self.try_set(bounds);
        if let Err(error) = &done
            && !matches!(error, LogError::DiskFull { .. })
        {
            self.failed = Some(error.to_string());
        }
        done
    }

    fn try_set(&mut self, bounds: Bounds) -> Result<(), LogError> {
        if !self.is_durable {
            // Else a cut in the write below could leave neither copy.
            self.write(&self.kept)?;
            self.disk.sync_dir(&self.dir).map_err(sync_error(&self.dir))?;
            self.is_durable = true;
        }
        let next = Kept { bounds, sequence: self.kept.sequence + 1, ..self.kept };
        self.write(&next)?;
        self.kept = next;
        Ok(())
    }

    fn write(&self, kept: &Kept) -> Result<(), LogError> {
        let copy: Box<[u8; COPY_BYTES]> = kept.encode(self.store);
        let written = self.file.write_all_at(&copy[..], kept.position());
        written.and_then(|()| self.file.sync_data()).map_err(|error| {
            let path = self.path.display();
            match is_disk_full(&error) {
                true => LogError::DiskFull { what: path.to_string() },
                false => LogError::Failed { cause: format!("cannot write {path}: {error}") },
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::rig::{P, STORE};
    use pyralog_env::sim::SimDisk;

    const DIR: &str = "/p";

    fn shared(disk: &SimDisk) -> Arc<dyn Disk> {
        Arc::new(disk.clone())
    }

    fn place() -> (SimDisk, Floor) {
        let disk = SimDisk::new(3);
        disk.create_dir_all(Path::new(DIR)).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let floor =
            Floor::create(&shared(&disk), Path::new(DIR), STORE, P, Durability::Memory).unwrap();
        (disk, floor)
    }

    fn find(disk: &SimDisk) -> Floor {
        Floor::find(&shared(disk), Path::new(DIR), STORE, P).unwrap().expect("it is there")
    }

    fn bounds(offset: u64, epoch: u32) -> Bounds {
        Bounds { offset: Offset(offset), epoch: Epoch(epoch) }
    }

    #[test]
    fn what_was_raised_stays_in_every_power_cut() {
        for seed in 0..300 {
            let (disk, mut floor) = place();
            let mut raised = Bounds::default();
            for round in 1..=6 {
                disk.arm_crash_at((seed + round) % 17);
                for step in 0..8 {
                    let to = bounds(raised.offset.0 + step * 3, raised.epoch.0 + 1);
                    match floor.raise(to) {
                        Ok(()) => raised = floor.bounds(),
                        Err(_) => break,
                    }
                }
                match round % 2 {
                    0 if !disk.is_off() => disk.kill_process(),
                    _ => drop(disk.crash(seed * 7 + round)),
                }
                floor = find(&disk);
                let found = floor.bounds();
                assert!(found.offset >= raised.offset && found.epoch >= raised.epoch, "{seed}");
                raised = found;
            }
        }
    }

    #[test]
    fn a_creation_that_is_cut_leaves_none_or_a_whole_one() {
        for operation in 0..8 {
            let disk = SimDisk::new(operation);
            disk.create_dir_all(Path::new(DIR)).unwrap();
            disk.sync_dir(Path::new("/")).unwrap();
            disk.arm_crash_at(operation);
            let made =
                Floor::create(&shared(&disk), Path::new(DIR), STORE, P, Durability::PageCache);
            disk.crash(operation);
            let found = Floor::find(&shared(&disk), Path::new(DIR), STORE, P).unwrap();
            assert!(found.is_some() || made.is_err(), "{operation}");
            let floor =
                Floor::create(&shared(&disk), Path::new(DIR), STORE, P, Durability::PageCache)
                    .unwrap();
            assert_eq!((floor.durability(), floor.bounds().offset.0), (Durability::PageCache, 0));
        }
    }

    #[test]
    fn a_damaged_copy_is_passed_over_and_two_are_refused() {
        let (disk, mut floor) = place();
        floor.raise(bounds(10, 1)).unwrap();
        floor.raise(bounds(20, 2)).unwrap();
        let path = paths::floor_file(Path::new(DIR));
        disk.flip_bit(&path, (COPY_BYTES + 36) as u64, 1).unwrap();
        assert_eq!(find(&disk).bounds(), bounds(10, 1));
        disk.flip_bit(&path, 36, 1).unwrap();
        let refused = Floor::find(&shared(&disk), Path::new(DIR), STORE, P).unwrap_err();
        assert!(refused.to_string().contains("neither copy"), "{refused}");
        let other = Floor::find(&shared(&disk), Path::new(DIR), StoreId(1), P);
        assert!(other.is_err(), "of another store");
    }

    #[test]
    fn the_end_of_a_clean_stop_is_kept_as_it_is() {
        let (disk, mut floor) = place();
        floor.raise(bounds(1 << 20, 4)).unwrap();
        floor.set(bounds(17, 4)).unwrap();
        disk.crash(1);
        assert_eq!(find(&disk).bounds(), bounds(17, 4));
    }
}
