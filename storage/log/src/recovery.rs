//! Opening a data directory, whatever happened to it.
//!
//! 1. Find the WAL's rounds and hold them to contiguity.
//! 2. Open every partition's segments, which are those that its manifest means:
//!    sealed ones by their index, the last one by a walk that ends at the first frame
//!    that is not whole. Remove what compaction has left behind.
//! 3. Replay the WAL's frames, in order, into the segments. A frame that the
//!    segments already have (by LSN) is passed over; a gap is corruption.
//! 4. Sync all, save the checkpoint, and begin with an empty WAL.
//!
//! Recovery only adds, only cuts torn tails and only removes leftovers, so a crash in
//! the middle of it is recovered in the same way.

mod partition;
mod replay;

use crate::checkpoint::{CheckpointStore, Checkpoints, WalCheckpoint};
use crate::committer::Committer;
use crate::error::{io_error, sync_error};
use crate::floor::Floor;
#[cfg(any(test, feature = "mutants"))]
use crate::mutation::Mutation;
use crate::mutation::Planted;
use crate::partition_log::PartitionLog;
use crate::segment_writer::SegmentWriter;
use crate::wal::{Wal, prepare_file};
use crate::{LogError, Manifest, RelaxedCommitter, paths};
use pyralog_env::Disk;
use pyralog_model::{Durability, LogNumber, Lsn, PartitionId, StoreId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How a store is laid out and when it does what.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Length of each WAL file in bytes, a multiple of 4,096.
    pub wal_file_bytes: usize,
    /// The most WAL files there will be; bounds the tails in memory too.
    pub wal_files_max: u32,
    /// Write the WAL past the page cache where the file system can.
    pub wal_direct: bool,
    /// A round of one partition goes straight into its segment from this size on.
    pub direct_bytes_min: usize,
    /// Checkpoint a partition after this many bytes written straight into it.
    pub direct_checkpoint_bytes: usize,
    /// Segment size until the log's own setting is known.
    pub segment_bytes: u64,
    /// Between the beginnings of two scrubs of all sealed segments; zero for none.
    pub scrub_interval: Duration,
    /// How fast they are read.
    pub scrub_bytes_per_second: u64,
    /// Bytes of logs of `page-cache` that are not synced, over all of them, at which they
    /// are; bounds what a start after a kill has to look through.
    pub unsynced_bytes_max: usize,
    /// Memory that the records of a log in memory may take, per partition, if its
    /// `retention.bytes` does not say.
    pub memory_log_bytes: usize,
    /// Memory that the records of all logs in memory may take.
    pub memory_bytes_max: usize,
    /// How many offsets of a log in memory are reserved at once.
    pub offset_block: u64,
    /// A bug to plant.
    #[cfg(any(test, feature = "mutants"))]
    pub mutation: Option<Mutation>,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            wal_file_bytes: 32 << 20,
            wal_files_max: 8,
            wal_direct: true,
            direct_bytes_min: 512 << 10,
            direct_checkpoint_bytes: 256 << 20,
            segment_bytes: 1_000_000_000,
            scrub_interval: Duration::from_secs(7 * 24 * 3_600),
            scrub_bytes_per_second: 10_000_000,
            unsynced_bytes_max: 64 << 20,
            memory_log_bytes: 64 << 20,
            memory_bytes_max: 512 << 20,
            offset_block: 1 << 20,
            #[cfg(any(test, feature = "mutants"))]
            mutation: None,
        }
    }
}

impl LogOptions {
    pub(crate) fn planted(&self) -> Planted {
        #[cfg(any(test, feature = "mutants"))]
        return Planted::new(self.mutation);
        #[cfg(not(any(test, feature = "mutants")))]
        Planted::default()
    }
}

/// An open store, in the pieces that its threads take.
pub struct Recovered {
    /// For the committer's thread.
    pub committer: Committer,
    /// For the thread of the logs that are not synced.
    pub relaxed: RelaxedCommitter,
    /// For the segment writer's thread.
    pub writer: SegmentWriter,
    /// Every partition that has a directory.
    pub partitions: BTreeMap<PartitionId, Arc<PartitionLog>>,
    /// What recovery found.
    pub report: RecoveryReport,
}

/// What recovery found, for the log and for tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// WAL rounds that were still needed.
    pub rounds: u64,
    /// Frames that were missing in segments.
    pub frames_replayed: u64,
    /// Torn tails that were cut off, in segments and in the WAL.
    pub torn_tails: u64,
}

/// Opens the store under `pyramid`, making its directories if need be.
pub fn recover(
    disk: Arc<dyn Disk>,
    pyramid: &Path,
    store: StoreId,
    mut checkpoints: Box<dyn CheckpointStore>,
    options: LogOptions,
) -> Result<Recovered, LogError> {
    let planted = options.planted();
    make_directories(&*disk, pyramid)?;
    let known = checkpoints.load()?;
    let mut report = RecoveryReport::default();

    let rounds = replay::find_rounds(&*disk, pyramid, store, &known.wal, planted, &mut report)?;
    let truncations = replay::truncations(&rounds, store, planted)?;
    let opening = partition::Opening { disk: &disk, pyramid, store, options: &options, planted };
    let (mut partitions, none) = (BTreeMap::new(), Manifest::default());
    for id in list_partitions(&*disk, pyramid)? {
        let truncated_at = truncations.get(&id).copied().unwrap_or_default();
        let checkpoint = known.partitions.get(&id).copied();
        let manifest = known.manifests.get(&id).unwrap_or(&none);
        let log = opening.open(id, checkpoint, manifest, truncated_at, &mut report)?;
        partitions.insert(id, Arc::new(log));
    }
    replay::replay(&rounds, store, &partitions, &truncations, planted, &mut report)?;
    drop(rounds.places);

    let wal = settle(&mut *checkpoints, &partitions, &known, rounds.next_round, rounds.next_lsn)?;
    let committer = Committer::new(
        open_wal(&disk, pyramid, store, &options, planted, wal.first_needed_round)?,
        wal.next_lsn,
        options.clone(),
        planted,
    );
    let relaxed = RelaxedCommitter::new(options.clone(), planted);
    let pyramid = pyramid.to_owned();
    let writer = SegmentWriter::new(disk, pyramid, store, checkpoints, wal, options, planted);
    Ok(Recovered { committer, relaxed, writer, partitions, report })
}

/// Makes a partition's directory, durably, and opens it empty. It must not exist in the
/// store yet, unless it is empty and of `fsync`: the power may have gone before the file
/// was durable that says otherwise.
pub fn create_partition(
    disk: &Arc<dyn Disk>,
    pyramid: &Path,
    store: StoreId,
    id: PartitionId,
    durability: Durability,
    options: &LogOptions,
) -> Result<Arc<PartitionLog>, LogError> {
    let planted = options.planted();
    let dir = paths::partition_dir(pyramid, id);
    disk.create_dir_all(&dir).map_err(io_error("cannot create", &dir))?;
    let log = paths::log_dir(pyramid, id.log);
    for above in [&log, &paths::logs_dir(pyramid)] {
        disk.sync_dir(above).map_err(sync_error(above))?;
    }
    if durability != Durability::Fsync {
        Floor::create(disk, &dir, store, id, durability)?;
    }
    let opening = partition::Opening { disk, pyramid, store, options, planted };
    let (manifest, mut report) = (Manifest::default(), RecoveryReport::default());
    let log = opening.open(id, None, &manifest, Lsn::default(), &mut report)?;
    Ok(Arc::new(log))
}

/// Removes a log's files. Its partitions are closed in the committer before.
pub fn delete_log(disk: &dyn Disk, pyramid: &Path, log: LogNumber) -> Result<(), LogError> {
    let dir = paths::log_dir(pyramid, log);
    if !disk.exists(&dir).map_err(io_error("cannot look at", &dir))? {
        return Ok(());
    }
    let logs = paths::logs_dir(pyramid);
    let gone = logs.join(format!("{}{}", log.0, paths::DELETED_SUFFIX));
    disk.rename(&dir, &gone).map_err(io_error("cannot rename", &dir))?;
    disk.sync_dir(&logs).map_err(sync_error(&logs))?;
    disk.remove_dir_all(&gone).map_err(io_error("cannot remove", &gone))
}

fn make_directories(disk: &dyn Disk, pyramid: &Path) -> Result<(), LogError> {
    for dir in [paths::wal_dir(pyramid), paths::logs_dir(pyramid)] {
        disk.create_dir_all(&dir).map_err(io_error("cannot create", &dir))?;
    }
    let above = pyramid.parent().unwrap_or(pyramid);
    for dir in [pyramid, above] {
        disk.sync_dir(dir).map_err(io_error("cannot sync", dir))?;
    }
    let logs = paths::logs_dir(pyramid);
    for entry in disk.list(&logs).map_err(io_error("cannot list", &logs))? {
        if entry.name.ends_with(paths::DELETED_SUFFIX) {
            let path = logs.join(entry.name);
            disk.remove_dir_all(&path).map_err(io_error("cannot remove", &path))?;
        }
    }
    Ok(())
}

fn list_partitions(disk: &dyn Disk, pyramid: &Path) -> Result<Vec<PartitionId>, LogError> {
    let logs = paths::logs_dir(pyramid);
    let mut ids = Vec::new();
    for log in numbered(disk, &logs)? {
        for partition in numbered(disk, &paths::log_dir(pyramid, LogNumber(log)))? {
            let partition = u32::try_from(partition).map_err(|_| LogError::Corrupt {
                path: logs.clone(),
                position: 0,
                what: format!("a partition is numbered {partition}"),
            })?;
            ids.push(PartitionId::new(log, partition));
        }
    }
    Ok(ids)
}

/// The directories in `dir` that are called by a number. A process that was
/// killed may have left names that are seen and not durable: what is found is
/// relied on, so it is synced.
fn numbered(disk: &dyn Disk, dir: &Path) -> Result<Vec<u64>, LogError> {
    disk.sync_dir(dir).map_err(io_error("cannot sync", dir))?;
    let entries = disk.list(dir).map_err(io_error("cannot list", dir))?;
    let mut numbers: Vec<u64> = entries
        .iter()
        .filter(|entry| entry.is_dir)
        .filter_map(|entry| entry.name.parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Syncs what was replayed and saves that nothing in the WAL is needed any more.
fn settle(
    checkpoints: &mut dyn CheckpointStore,
    partitions: &BTreeMap<PartitionId, Arc<PartitionLog>>,
    known: &Checkpoints,
    next_round: u64,
    next_lsn: Lsn,
) -> Result<WalCheckpoint, LogError> {
    let mut saved = Vec::new();
    // Numbers begin at 1: 0 is "no frame yet".
    let mut next_lsn = next_lsn.max(known.wal.next_lsn).max(Lsn(1));
    for (id, log) in partitions {
        // It has no segments.
        if log.durability() == Durability::Memory {
            continue;
        }
        let mut appender = log.lock_appender();
        appender.sync()?;
        let checkpoint = appender.checkpoint(log);
        next_lsn = next_lsn.max(checkpoint.lsn.next());
        if known.partitions.get(id) != Some(&checkpoint) {
            saved.push((*id, checkpoint));
        }
    }
    let wal = WalCheckpoint { first_needed_round: next_round, next_lsn };
    if !saved.is_empty() || wal != known.wal {
        checkpoints.save(&saved, wal)?;
    }
    Ok(wal)
}

/// Makes sure of two files to begin with and opens every one there is.
fn open_wal(
    disk: &Arc<dyn Disk>,
    pyramid: &Path,
    store: StoreId,
    options: &LogOptions,
    planted: Planted,
    next_round: u64,
) -> Result<Wal, LogError> {
    let (bytes, direct) = (options.wal_file_bytes, options.wal_direct);
    let mut wal = Wal::new(Arc::clone(disk), pyramid, store, bytes, direct, planted, next_round);
    for number in 0..options.wal_files_max {
        let path = paths::wal_file(pyramid, number);
        if number >= 2 && !disk.exists(&path).map_err(io_error("cannot look at", &path))? {
            break;
        }
        let sync_directory = !planted.skips_directory_sync();
        match prepare_file(&**disk, pyramid, store, number, bytes, sync_directory) {
            // Two are enough to start with; a full disk must not keep reads away.
            Err(LogError::DiskFull { .. }) if number >= 2 => break,
            prepared => prepared?,
        }
        wal.add_file(number)?;
    }
    Ok(wal)
}
