//! An open file of the simulated disk.

use super::faults::input_output_error;
use super::names::Inode;
use super::power::power_cut;
use super::state::State;
use crate::DiskFile;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What direct I/O aligns to.
const ALIGN: u64 = 4096;

#[derive(Debug)]
pub(super) struct SimFile {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) inode: Inode,
    /// The boot that opened it: after a cut the handle is dead.
    pub(super) boot: u64,
    /// The name it was opened by, which faults are matched against.
    pub(super) path: PathBuf,
    /// Opened durable: writes are durable when they return.
    pub(super) direct: bool,
    /// Keeps the inode while the file is open.
    pub(super) _open: Arc<()>,
}

impl SimFile {
    fn lock(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.power.boot != self.boot {
            return Err(power_cut());
        }
        Ok(state)
    }

    /// Refuses what the kernel refuses on a direct handle.
    fn check_alignment(&self, buffer: &[u8], position: u64) -> io::Result<()> {
        let address = buffer.as_ptr().addr() as u64;
        let all = [position, buffer.len() as u64, address];
        if !self.direct || all.iter().all(|value| value.is_multiple_of(ALIGN)) {
            return Ok(());
        }
        let [position, len, address] = all;
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!(
                "position {position}, length {len} and address {address:#x} must be multiples of {ALIGN}"
            ),
        ))
    }

    fn sync(&self) -> io::Result<()> {
        self.lock()?.mutate(|state| {
            if state.faults.hits_sync(&self.path) {
                state.fail_sync(self.inode);
                return Err(input_output_error());
            }
            state.sync(self.inode)
        })
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.lock()?;
        state.power.check()?;
        Ok(state.content(self.inode)?.len())
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.check_alignment(buffer, position)?;
        let mut state = self.lock()?;
        state.power.check()?;
        if state.faults.hits_read(&self.path) {
            return Err(input_output_error());
        }
        Ok(state.content(self.inode)?.read(buffer, position))
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.check_alignment(bytes, position)?;
        self.lock()?.mutate(|state| {
            let position = state.faults.misdirect(&self.path, position);
            state.write(self.inode, bytes, position, self.direct)
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.lock()?.mutate(|state| state.set_len(self.inode, len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }
}
