//! Starting: the file is made or found, and the clean mark is cleared.

use super::ArenaOptions;
use super::header::{Bad, Header, VERSION};
use super::layout::{FILE_BYTES_MIN, Layout};
use crate::cells::View;
use crate::copies::{copy_at, read_pair};
use crate::counter_handle::value_crc;
use crate::error::CounterError;
use crate::mutation::{Mutation, Planted};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::StoreId;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a start found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartReport {
    /// The file was not there and was made.
    pub created: bool,
    /// The incarnation before ended cleanly: counters go on at their values.
    pub clean: bool,
    /// Starts of this file so far, this one included.
    pub incarnation: u64,
    /// Length that was asked for.
    pub asked_bytes: u64,
    /// Length that the file has: less where the file system refuses, or as it was
    /// made.
    pub file_bytes: u64,
    /// How many counters have slots.
    pub counters_max: u64,
    /// How slots are reached: `mapped`, or `buffered` where mapping is not safe.
    pub cells: &'static str,
}

impl StartReport {
    /// What an operator should know about the length, if anything.
    pub fn warning(&self) -> Option<String> {
        let StartReport { asked_bytes, file_bytes, counters_max, .. } = self;
        let why = if self.created { "the file system takes no more" } else { "it was made so" };
        (file_bytes < asked_bytes).then(|| {
            format!(
                "the arena has {file_bytes} bytes instead of {asked_bytes} ({why}): \
                 it holds {counters_max} counters"
            )
        })
    }
}

pub(super) struct Started {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) header: Header,
    pub(super) report: StartReport,
}

pub(super) fn start(
    disk: &Arc<dyn Disk>,
    path: &Path,
    store: StoreId,
    options: &ArenaOptions,
    planted: Planted,
) -> Result<Started, CounterError> {
    let created = !disk.exists(path).map_err(CounterError::io(path, "look for"))?;
    if created {
        create(disk, path, store, options.file_bytes.max(FILE_BYTES_MIN))?;
    }
    let file = disk.open(path).map_err(CounterError::io(path, "open"))?;
    let (found, copy) = read(&*file, path, store)?;
    let header = found.next_life();
    if !planted.is(Mutation::CleanMarkNotCleared) {
        // This sync also makes durable whatever a killed process had written.
        let block = header.encode(store);
        let written = file.write_all_at(&block[..], copy_at(0, 1 - copy));
        written.map_err(CounterError::io(path, "write"))?;
        file.sync_data().map_err(CounterError::io(path, "sync"))?;
    }
    let report = StartReport {
        created,
        clean: found.closed,
        incarnation: header.incarnation,
        asked_bytes: options.file_bytes,
        file_bytes: header.layout.file_bytes,
        counters_max: header.layout.counters_max(),
        cells: "",
    };
    Ok(Started { file, header, report })
}

/// Makes the file under another name, so that one with the name is whole.
fn create(
    disk: &Arc<dyn Disk>,
    path: &Path,
    store: StoreId,
    asked_bytes: u64,
) -> Result<(), CounterError> {
    let new = path.with_extension("new");
    if disk.exists(&new).map_err(CounterError::io(path, "look for"))? {
        disk.remove_file(&new).map_err(CounterError::io(&new, "remove"))?;
    }
    let file = disk.create(&new).map_err(CounterError::io(&new, "create"))?;
    let mut file_bytes = asked_bytes;
    // What file systems allow differs, and they say so only when asked (F3).
    while let Err(error) = file.set_len(file_bytes) {
        file_bytes /= 2;
        if file_bytes < FILE_BYTES_MIN || pyralog_env::sim::is_power_cut(&error) {
            return Err(CounterError::io(&new, "extend")(error));
        }
    }
    // Closed: a counter that was never issued from is at 0 for certain.
    let layout = Layout { file_bytes };
    let first = Header { layout, seq: 0, incarnation: 0, unclean: 0, closed: true };
    let block = first.encode(store);
    file.write_all_at(&block[..], 0).map_err(CounterError::io(&new, "write"))?;
    let second = Header { seq: 1, ..first }.encode(store);
    file.write_all_at(&second[..], copy_at(0, 1)).map_err(CounterError::io(&new, "write"))?;
    file.sync_all().map_err(CounterError::io(&new, "sync"))?;
    disk.rename(&new, path).map_err(CounterError::io(&new, "rename"))?;
    let directory = path.parent().unwrap_or(path);
    disk.sync_dir(directory).map_err(CounterError::io(directory, "sync"))
}

/// The last whole header, and which copy it is.
fn read(file: &dyn DiskFile, path: &Path, store: StoreId) -> Result<(Header, usize), CounterError> {
    let pair = read_pair(file, 0).map_err(CounterError::io(path, "read"))?;
    let copies = pair.map(|block| Header::decode(&block, store));
    let newer = copies.iter().find_map(|copy| match copy {
        Err(Bad::Newer(found)) => Some(*found),
        _ => None,
    });
    if let Some(found) = newer {
        return Err(CounterError::NewerVersion { path: path.to_owned(), found, known: VERSION });
    }
    let damaged = |why: String| CounterError::Damaged { path: path.to_owned(), why };
    let (header, copy) = match copies {
        [Ok(first), Ok(second)] if second.seq > first.seq => (second, 1),
        [Ok(first), _] => (first, 0),
        [_, Ok(second)] => (second, 1),
        [Err(Bad::OtherStore), _] | [_, Err(Bad::OtherStore)] => {
            return Err(damaged("it is of another store".to_owned()));
        }
        _ => return Err(damaged("neither copy of the header can be read".to_owned())),
    };
    let len = file.len().map_err(CounterError::io(path, "measure"))?;
    let expected = header.layout.file_bytes;
    if len < expected {
        return Err(damaged(format!("it has {len} bytes of {expected}")));
    }
    Ok((header, copy))
}

/// The planted bug: an old value written back by the kernel has a checksum that
/// fits, too.
pub(super) fn crc_fits(planted: Planted, view: &dyn View, word: usize, value: u64) -> bool {
    planted.is(Mutation::CrcOverMappedValue)
        && view.word(word + 1).load(Ordering::Acquire) == value_crc(value)
}
