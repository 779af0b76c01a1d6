//! The simulated disk: the trait, and what a test may do to it.

use super::cut::CutReport;
use super::faults::input_output_error;
use super::file::SimFile;
use super::names::Inode;
use super::state::State;
use crate::{Disk, DiskEntry, DiskFile};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory whose luck follows from a seed. Clones are the same disk.
///
/// Made for one thread: it may be shared, but then the order of operations, and
/// with it the luck, is no longer the seed's.
#[derive(Debug, Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// What a disk without a set capacity says is free.
const PLENTY_BYTES: u64 = 1 << 50;

impl SimDisk {
    /// An empty disk with a durable root directory. Costs next to nothing.
    pub fn new(seed: u64) -> SimDisk {
        SimDisk { state: Arc::new(Mutex::new(State::new(seed))) }
    }

    /// Mutating operations so far, failed ones included.
    pub fn operations(&self) -> u64 {
        self.lock().power.operations
    }

    /// Lets `operations` mutating operations pass and cuts the power in the one
    /// after them: it takes effect in part or not at all, and it and everything
    /// after it fail with an error that `is_power_cut` knows, until `crash`.
    pub fn arm_crash_at(&self, operations: u64) {
        self.lock().power.arm(operations);
    }

    /// Cuts the power now, between two operations.
    pub fn cut_power(&self) {
        self.lock().power.off = true;
    }

    /// True from the cut to `crash`.
    pub fn is_off(&self) -> bool {
        self.lock().power.off
    }

    /// Decides from `seed` which pending things the cut has spared, and powers
    /// the disk on with what is left. Cuts the power first if that has not
    /// happened. All open handles are dead.
    pub fn crash(&self, seed: u64) -> CutReport {
        self.lock().cut(seed)
    }

    /// As a SIGKILL: all open handles are dead, and nothing is lost that was
    /// written.
    pub fn kill_process(&self) {
        self.lock().power.boot();
    }

    /// The next sync of a file or directory whose path contains `part` fails:
    /// what it should have made durable is dropped, and the sync after it says
    /// `Ok` all the same.
    pub fn fail_next_sync(&self, part: &str) {
        self.lock().faults.syncs.push(part.to_owned());
    }

    /// The next read of a file whose path contains `part` fails.
    pub fn fail_next_read(&self, part: &str) {
        self.lock().faults.reads.push(part.to_owned());
    }

    /// All reads of files whose paths contain `part` fail until `clear_faults`.
    pub fn fail_reads(&self, part: &str) {
        self.lock().faults.reads_for_good.push(part.to_owned());
    }

    /// The next write to a file whose path contains `part` lands `distance_bytes`
    /// further on, and says `Ok`.
    pub fn misdirect_next_write(&self, part: &str, distance_bytes: u64) {
        self.lock().faults.misdirected.push((part.to_owned(), distance_bytes));
    }

    /// Forgets all faults that have not happened.
    pub fn clear_faults(&self) {
        self.lock().faults = super::faults::Faults::default();
    }

    /// Turns bit `bit` (0 to 7) of the byte at `position` over, durably.
    ///
    /// # Errors
    /// `NotFound`, or `InvalidInput` past the end of the file.
    pub fn flip_bit(&self, path: &Path, position: u64, bit: u32) -> io::Result<()> {
        let mut state = self.lock();
        let inode = state.lookup(path)?;
        let content = state.content(inode)?;
        if position >= content.len() || bit > 7 {
            return Err(ErrorKind::InvalidInput.into());
        }
        content.flip(position, bit);
        Ok(())
    }

    /// Sets how many bytes the disk holds, in pages of 4,096. Beyond that a
    /// write fails with `StorageFull`, its first part written. `u64::MAX` lifts
    /// the limit.
    pub fn set_capacity(&self, bytes: u64) {
        self.lock().capacity_bytes = bytes;
    }

    /// Bytes that count against the capacity.
    pub fn used_bytes(&self) -> u64 {
        self.lock().used_bytes()
    }

    /// The whole live content of a file, for assertions.
    ///
    /// # Errors
    /// `NotFound`, or the power cut.
    pub fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path)?;
        let mut bytes = vec![0; file.len()? as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn powered(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        state.power.check()?;
        Ok(state)
    }

    fn handle(
        &self,
        state: &State,
        inode: Inode,
        path: &Path,
        direct: bool,
    ) -> io::Result<SimFile> {
        Ok(SimFile {
            state: Arc::clone(&self.state),
            inode,
            boot: state.power.boot,
            path: PathBuf::from(path),
            direct,
            _open: Arc::clone(&state.file(inode)?.handles),
        })
    }

    fn open_file(&self, path: &Path, direct: bool) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.powered()?;
        let inode = state.lookup(path)?;
        Ok(Arc::new(self.handle(&state, inode, path, direct)?))
    }
}

impl Disk for SimDisk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.lock().mutate(|state| state.create_dir_all(path))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        let inode = state.mutate(|state| state.create_file(path))?;
        Ok(Arc::new(self.handle(&state, inode, path, false)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.open_file(path, false)
    }

    fn open_durable(&self, path: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
        self.open_file(path, true).map(Some)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.powered()?.lookup(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DiskEntry>> {
        self.powered()?.list(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.lock().mutate(|state| state.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.lock().mutate(|state| state.remove_file(path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.lock().mutate(|state| state.remove_dir_all(path))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.lock().mutate(|state| {
            let inode = state.lookup(dir)?;
            if state.faults.hits_sync(dir) {
                state.fail_sync_dir(inode);
                return Err(input_output_error());
            }
            state.sync_dir(inode)
        })
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        let state = self.powered()?;
        Ok(state.capacity_bytes.saturating_sub(state.used_bytes()).min(PLENTY_BYTES))
    }
}
