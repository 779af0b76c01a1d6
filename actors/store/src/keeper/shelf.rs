//! The keeper's database over a disk that may be full for a while.

use super::{KeeperError, Kept};
use crate::health::HealthLatch;
use pyralog_env::Disk;
use pyralog_meta::{CommandLog, MetaError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) struct Shelf {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    health: HealthLatch,
    /// `None` after it found no room, until it is opened again.
    log: Option<CommandLog>,
    /// The index of a command of which it is not known whether it is kept.
    unsettled: Option<u64>,
    failed: Option<String>,
}

impl Shelf {
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        health: HealthLatch,
    ) -> Result<(Shelf, Kept), MetaError> {
        let log = CommandLog::open(Arc::clone(&disk), path)?;
        let kept = log.load()?;
        let path = path.to_owned();
        Ok((Shelf { disk, path, health, log: Some(log), unsettled: None, failed: None }, kept))
    }

    pub(super) fn append(&mut self, first: u64, commands: &[Vec<u8>]) -> Result<(), KeeperError> {
        let log = self.take()?;
        if self.unsettled.take().is_some() && self.last_index(&log)? >= first {
            self.failed = Some(KeeperError::Ahead.to_string());
            return Err(KeeperError::Ahead);
        }
        match log.append(first, commands) {
            Ok(()) => {
                self.log = Some(log);
                Ok(())
            }
            Err(error) if error.is_disk_full() => self.settle(log, first),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The commands are still there if it fails for want of room: a later
    /// snapshot will do.
    pub(super) fn save_snapshot(&mut self, index: u64, snapshot: &[u8]) {
        let Ok(log) = self.take() else { return };
        match log.save_snapshot(index, snapshot) {
            Ok(()) => self.log = Some(log),
            Err(error) if error.is_disk_full() => {
                tracing::warn!(%error, "no snapshot of the directory");
                let _ = self.reopen(log);
            }
            Err(error) => {
                self.fail(error);
            }
        }
    }

    /// As `save_snapshot`, for one whose commands are not there.
    pub(super) fn install_snapshot(
        &mut self,
        index: u64,
        snapshot: &[u8],
    ) -> Result<(), KeeperError> {
        let log = self.take()?;
        match log.save_snapshot(index, snapshot) {
            Ok(()) => {
                self.log = Some(log);
                Ok(())
            }
            Err(error) if error.is_disk_full() => {
                self.reopen(log)?;
                Err(KeeperError::DiskFull)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Finds out what became of commands that met a full disk.
    fn settle(&mut self, log: CommandLog, first: u64) -> Result<(), KeeperError> {
        if let Err(error) = self.reopen(log) {
            if matches!(error, KeeperError::DiskFull) {
                self.unsettled = Some(first);
                return Err(KeeperError::Unsettled);
            }
            return Err(error);
        }
        let log = self.take()?;
        let last = self.last_index(&log)?;
        self.log = Some(log);
        // All of them or none; no other command is given this index meanwhile.
        if last >= first { Ok(()) } else { Err(KeeperError::DiskFull) }
    }

    fn reopen(&mut self, log: CommandLog) -> Result<(), KeeperError> {
        match log.reopen() {
            Ok(log) => {
                self.log = Some(log);
                Ok(())
            }
            Err(error) if error.is_disk_full() => Err(KeeperError::DiskFull),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Takes the database out, opened again if need be; who can still use it
    /// puts it back.
    fn take(&mut self) -> Result<CommandLog, KeeperError> {
        if let Some(cause) = &self.failed {
            return Err(KeeperError::Failed(cause.clone()));
        }
        if let Some(log) = self.log.take() {
            return Ok(log);
        }
        match CommandLog::open(Arc::clone(&self.disk), &self.path) {
            Ok(log) => Ok(log),
            Err(error) if error.is_disk_full() => Err(KeeperError::DiskFull),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn last_index(&mut self, log: &CommandLog) -> Result<u64, KeeperError> {
        log.last_index().map_err(|error| self.fail(error))
    }

    fn fail(&mut self, error: MetaError) -> KeeperError {
        let cause = format!("the directory's database: {error}");
        self.health.fail(&cause);
        self.failed = Some(cause);
        KeeperError::Meta(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Health;
    use pyralog_env::sim::SimDisk;

    const FILE: &str = "/d/directory.redb";

    fn disk() -> SimDisk {
        let disk = SimDisk::new(1);
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        disk
    }

    fn open(disk: &SimDisk, health: &HealthLatch) -> (Shelf, Kept) {
        Shelf::open(Arc::new(disk.clone()), Path::new(FILE), health.clone()).unwrap()
    }

    #[test]
    fn a_full_disk_refuses_commands_and_nothing_else() {
        let (disk, health) = (disk(), HealthLatch::default());
        let (mut shelf, _) = open(&disk, &health);
        shelf.append(1, &[b"a".to_vec()]).unwrap();
        disk.set_capacity(disk.used_bytes());
        for _ in 0..3 {
            let refused = shelf.append(2, &[vec![7; 1 << 20]]).unwrap_err();
            assert!(matches!(refused, KeeperError::DiskFull), "{refused:?}");
            shelf.save_snapshot(1, &vec![7; 1 << 20]);
        }
        let refused = shelf.install_snapshot(9, &vec![7; 1 << 20]).unwrap_err();
        assert!(matches!(refused, KeeperError::DiskFull), "{refused:?}");
        disk.set_capacity(u64::MAX);
        shelf.append(2, &[b"b".to_vec()]).unwrap();
        assert_eq!(health.get(), Health::Good);
        drop(shelf);
        disk.crash(1);
        let kept = open(&disk, &health).1;
        assert_eq!(kept, (None, vec![(1, b"a".to_vec()), (2, b"b".to_vec())]));
    }

    #[test]
    fn a_snapshot_from_elsewhere_takes_the_place_of_commands_that_never_came() {
        let (disk, health) = (disk(), HealthLatch::default());
        let (mut shelf, _) = open(&disk, &health);
        shelf.append(1, &[b"a".to_vec()]).unwrap();
        shelf.install_snapshot(9, b"nine").unwrap();
        shelf.append(10, &[b"b".to_vec(), b"c".to_vec()]).unwrap();
        drop(shelf);
        disk.crash(1);
        let kept = open(&disk, &health).1;
        let commands = vec![(10, b"b".to_vec()), (11, b"c".to_vec())];
        assert_eq!(kept, (Some((9, b"nine".to_vec())), commands));
    }

    #[test]
    fn an_unsettled_command_that_is_kept_is_not_written_over() {
        let (disk, health) = (disk(), HealthLatch::default());
        let (mut shelf, _) = open(&disk, &health);
        shelf.append(1, &[b"kept".to_vec()]).unwrap();
        shelf.unsettled = Some(1);
        assert!(matches!(shelf.append(1, &[b"other".to_vec()]), Err(KeeperError::Ahead)));
        assert!(matches!(shelf.append(1, &[b"other".to_vec()]), Err(KeeperError::Failed(_))));
        assert_eq!(health.get(), Health::Good, "the next start reads it");
    }

    #[test]
    fn a_failed_sync_stops_the_process() {
        for snapshot in [false, true] {
            let (disk, health) = (disk(), HealthLatch::default());
            let (mut shelf, _) = open(&disk, &health);
            disk.fail_next_sync(FILE);
            match snapshot {
                true => shelf.save_snapshot(0, b"s"),
                false => assert!(shelf.append(1, &[b"a".to_vec()]).is_err()),
            }
            assert!(matches!(health.get(), Health::Failed { .. }));
            assert!(matches!(shelf.append(1, &[b"a".to_vec()]), Err(KeeperError::Failed(_))));
        }
    }
}
