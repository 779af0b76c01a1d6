//! A store on a simulated disk with its segment writer at hand, and the list of
//! what was acknowledged, which `check` holds it to.

use crate::*;
use bytes::Bytes;
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, WallMillis};
use pyralog_model::{
    BatchBuilder, BatchHeader, Durability, Epoch, LogNumber, Offset, PartitionId, StoreId,
    split_batches,
};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub(crate) const STORE: StoreId = StoreId(0x5eed);
pub(crate) const P: PartitionId =
    PartitionId { log: LogNumber(1), partition: pyralog_model::PartitionNumber(0) };

/// Checkpoints in memory, which outlive the store as a database does.
#[derive(Clone, Default)]
pub(crate) struct MemoryCheckpoints(pub(crate) Arc<Mutex<Checkpoints>>);

impl CheckpointStore for MemoryCheckpoints {
    fn load(&self) -> Result<Checkpoints, LogError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn save(
        &mut self,
        partitions: &[(PartitionId, PartitionCheckpoint)],
        wal: WalCheckpoint,
    ) -> Result<(), LogError> {
        let mut kept = self.0.lock().unwrap();
        kept.partitions.extend(partitions.iter().copied());
        kept.wal = wal;
        Ok(())
    }

    fn save_start(
        &mut self,
        partition: PartitionId,
        checkpoint: &PartitionCheckpoint,
        wal: WalCheckpoint,
    ) -> Result<(), LogError> {
        self.save(&[(partition, *checkpoint)], wal)?;
        if let Some(manifest) = self.0.lock().unwrap().manifests.get_mut(&partition) {
            manifest.begin_at(checkpoint.log_start);
        }
        Ok(())
    }

    fn replace(&mut self, partition: PartitionId, new: &RewrittenSegment) -> Result<(), LogError> {
        self.0.lock().unwrap().manifests.entry(partition).or_default().replace(*new);
        Ok(())
    }

    fn save_cleaned(&mut self, partition: PartitionId, cleaned: Offset) -> Result<(), LogError> {
        self.0.lock().unwrap().manifests.entry(partition).or_default().cleaned = cleaned;
        Ok(())
    }

    fn remove_log(&mut self, log: LogNumber) -> Result<(), LogError> {
        let mut kept = self.0.lock().unwrap();
        kept.partitions.retain(|id, _| id.log != log);
        kept.manifests.retain(|id, _| id.log != log);
        Ok(())
    }
}

pub(crate) struct Rig {
    pub(crate) disk: SimDisk,
    pub(crate) checkpoints: MemoryCheckpoints,
    pub(crate) options: LogOptions,
    pub(crate) committer: Committer,
    pub(crate) relaxed: RelaxedCommitter,
    pub(crate) writer: SegmentWriter,
    pub(crate) tasks: VecDeque<WriterTask>,
    pub(crate) logs: BTreeMap<PartitionId, Arc<PartitionLog>>,
    pub(crate) generations: BTreeMap<PartitionId, u64>,
    pub(crate) report: RecoveryReport,
    /// What was acknowledged: the first offset and the bytes as they were sent.
    pub(crate) acknowledged: BTreeMap<PartitionId, Vec<(u64, Bytes)>>,
    pub(crate) epoch: u32,
}

/// Runs rounds of compaction in the thread of the test, for so many bytes.
struct Host<'a> {
    writer: &'a mut SegmentWriter,
    bytes_left: u64,
}

impl CompactionHost for Host<'_> {
    fn go_on(&mut self, bytes: u64) -> bool {
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.bytes_left > 0
    }

    fn replace(
        &mut self,
        log: &Arc<PartitionLog>,
        replacement: Replacement,
    ) -> Result<Switched, LogError> {
        self.writer.replace(log, replacement)
    }

    fn save_cleaned(&mut self, log: &Arc<PartitionLog>, cleaned: Offset) -> Result<(), LogError> {
        self.writer.save_cleaned(log, cleaned)
    }
}

pub(crate) fn pyramid() -> PathBuf {
    PathBuf::from("/data/pyramid")
}

/// Small files, so that a few appends reach every corner.
pub(crate) fn small() -> LogOptions {
    LogOptions {
        wal_file_bytes: 64 << 10,
        wal_files_max: 3,
        wal_direct: false,
        direct_bytes_min: usize::MAX,
        direct_checkpoint_bytes: 64 << 10,
        segment_bytes: 32 << 10,
        ..LogOptions::default()
    }
}

/// A batch of `records` records of `value_bytes` bytes that compress badly.
pub(crate) fn batch(records: u64, value_bytes: usize, time: i64) -> Bytes {
    let mut builder = BatchBuilder::new();
    for record in 0..records {
        let mix = |at: usize| (at as u64 * 31 + record * 7 + time as u64 * 13) as u8;
        let value: Vec<u8> = (0..value_bytes).map(mix).collect();
        builder.push(time + record as i64, None, Some(&value), &[]);
    }
    builder.finish().unwrap()
}

fn records(batch: &Bytes) -> u64 {
    split_batches(batch.clone()).unwrap()[0].0.records()
}

impl Rig {
    pub(crate) fn new(options: LogOptions) -> Rig {
        let disk = SimDisk::new(7);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let mut rig = Rig::open(disk, MemoryCheckpoints::default(), options).unwrap();
        rig.create(P);
        rig
    }

    pub(crate) fn open(
        disk: SimDisk,
        checkpoints: MemoryCheckpoints,
        options: LogOptions,
    ) -> Result<Rig, LogError> {
        let world: Arc<dyn Disk> = Arc::new(disk.clone());
        let keeper = Box::new(checkpoints.clone());
        let recovered = recover(world, &pyramid(), STORE, keeper, options.clone())?;
        let mut rig = Rig {
            disk,
            checkpoints,
            options,
            committer: recovered.committer,
            relaxed: recovered.relaxed,
            writer: recovered.writer,
            tasks: VecDeque::new(),
            logs: recovered.partitions,
            generations: BTreeMap::new(),
            report: recovered.report,
            acknowledged: BTreeMap::new(),
            epoch: 1,
        };
        for id in rig.logs.keys().copied().collect::<Vec<_>>() {
            rig.open_partition(id);
        }
        Ok(rig)
    }

    pub(crate) fn create(&mut self, id: PartitionId) {
        self.create_with(id, Durability::Fsync);
    }

    pub(crate) fn create_with(&mut self, id: PartitionId, durability: Durability) {
        let world: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let log = create_partition(&world, &pyramid(), STORE, id, durability, &self.options);
        let log = log.unwrap();
        self.logs.insert(id, log);
        self.open_partition(id);
    }

    pub(crate) fn open_partition(&mut self, id: PartitionId) -> Opened {
        let log = Arc::clone(&self.logs[&id]);
        match self.one(Submission::Open(log)) {
            Completion::Opened(opened) => {
                self.generations.insert(id, opened.generation);
                opened
            }
            other => panic!("{other:?}"),
        }
    }

    /// One submission in a step of its own, of the committer that its log has.
    pub(crate) fn one(&mut self, submission: Submission) -> Completion {
        let log = match &submission {
            Submission::Open(log) => Some(log),
            Submission::Append(Append { partition, .. })
            | Submission::Truncate { partition, .. }
            | Submission::Close(partition) => self.logs.get(partition),
            Submission::Barrier => None,
        };
        let completion = match log.map_or(Durability::Fsync, |log| log.durability()) {
            Durability::Fsync => self.committer.step(vec![submission]),
            _ => self.relaxed.step(vec![submission]),
        };
        self.tasks.extend(self.committer.take_tasks());
        self.tasks.extend(self.relaxed.take_tasks());
        completion.into_iter().next().expect("one answer")
    }

    pub(crate) fn submission(&self, id: PartitionId, base: u64, batches: &[Bytes]) -> Submission {
        let split = |batch: &Bytes| split_batches(batch.clone()).unwrap().remove(0);
        let batches: Vec<(BatchHeader, Bytes)> = batches.iter().map(split).collect();
        Submission::Append(Append {
            partition: id,
            generation: self.generations[&id],
            epoch: Epoch(self.epoch),
            base: Offset(base),
            batches,
            scarab_base: None,
        })
    }

    /// Appends one batch, making room before, and remembers it if acknowledged.
    pub(crate) fn append(&mut self, id: PartitionId, batch: &Bytes) -> Result<Appended, LogError> {
        self.make_room(batch.len() + 80);
        let base = self.logs[&id].bounds().1.0;
        let submission = self.submission(id, base, std::slice::from_ref(batch));
        match self.one(submission) {
            Completion::Appended(appended) => {
                self.acknowledged.entry(id).or_default().push((base, batch.clone()));
                Ok(appended.into_inner())
            }
            Completion::Accepted(accepted) => {
                self.acknowledged.entry(id).or_default().push((base, batch.clone()));
                Ok(accepted)
            }
            Completion::Refused(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn truncate(&mut self, id: PartitionId, end: u64) -> Result<Offset, LogError> {
        self.make_room(80);
        let generation = self.generations[&id];
        match self.one(Submission::Truncate { partition: id, generation, end: Offset(end) }) {
            Completion::Truncated(end) => {
                let end = end.into_inner();
                self.acknowledged.entry(id).or_default().retain(|(base, _)| *base < end.0);
                Ok(end)
            }
            Completion::Refused(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn move_start(&mut self, id: PartitionId, start: u64) -> Result<u64, LogError> {
        let moved = self.writer.move_start(&self.logs[&id], Offset(start));
        if let Some(cause) = self.writer.failure() {
            self.committer.fail(cause.to_owned());
        }
        moved.map(|start| start.0)
    }

    /// A round of compaction over all that is sealed.
    pub(crate) fn compact(
        &mut self,
        id: PartitionId,
        now: i64,
    ) -> Result<Option<CompactionReport>, LogError> {
        let below = self.logs[&id].bounds().1;
        self.compact_with(id, now, below, 1 << 20, u64::MAX)
    }

    /// A round below an offset with so much memory for keys, that is told to end after
    /// so many bytes.
    pub(crate) fn compact_with(
        &mut self,
        id: PartitionId,
        now: i64,
        below: Offset,
        key_bytes_max: usize,
        bytes: u64,
    ) -> Result<Option<CompactionReport>, LogError> {
        let log = Arc::clone(&self.logs[&id]);
        let mut host = Host { writer: &mut self.writer, bytes_left: bytes };
        let options = CompactionOptions { key_bytes_max };
        let round = compact(&log, &options, WallMillis(now), below, &mut host);
        if let Some(cause) = self.writer.failure() {
            self.committer.fail(cause.to_owned());
        }
        round
    }

    pub(crate) fn make_room(&mut self, bytes: usize) {
        while self.committer.failure().is_none() && !self.committer.has_room(bytes) {
            self.tasks.extend(self.committer.take_tasks());
            if self.run_task().is_none() {
                return;
            }
        }
    }

    /// Runs the oldest task of the segment writer.
    pub(crate) fn run_task(&mut self) -> Option<WriterReport> {
        let report = self.writer.step(self.tasks.front()?);
        if !matches!(report, WriterReport::Stalled(_)) {
            self.tasks.pop_front();
        }
        self.committer.heed(report.clone());
        (!matches!(report, WriterReport::Stalled(_))).then_some(report)
    }

    pub(crate) fn run_tasks(&mut self) {
        while self.run_task().is_some() {}
    }

    pub(crate) fn finish(&mut self) {
        let task = self.committer.finish();
        self.tasks.extend(self.committer.take_tasks());
        self.tasks.push_back(task);
        self.run_tasks();
        assert!(self.tasks.is_empty());
    }

    /// Cuts the power, starts again and holds the store to its word.
    pub(crate) fn reboot(self, seed: u64) -> Rig {
        self.try_reboot(seed).unwrap()
    }

    pub(crate) fn try_reboot(self, seed: u64) -> Result<Rig, LogError> {
        self.disk.clear_faults();
        self.disk.set_capacity(u64::MAX);
        self.disk.crash(seed);
        let mut next = Rig::open(self.disk, self.checkpoints, self.options)?;
        next.acknowledged = self.acknowledged;
        next.epoch = self.epoch;
        next.check();
        Ok(next)
    }

    /// Everything acknowledged, and only that, is read back from any offset.
    pub(crate) fn check(&self) {
        for (id, expected) in &self.acknowledged {
            let log = &self.logs[id];
            let (Offset(start), Offset(end)) = log.bounds();
            let mut offset = start;
            // The start may lie in the middle of a batch, which is kept whole.
            let mut rest = expected.iter().filter(|(base, sent)| base + records(sent) > start);
            while offset < end {
                let slice = log.read(Offset(offset), 10_000).unwrap();
                let bytes = Bytes::from(slice.pieces.concat());
                assert_eq!(bytes.len(), slice.bytes);
                for (header, stored) in split_batches(bytes).unwrap() {
                    let (base, sent) = rest.next().expect("nothing that was not acknowledged");
                    assert_eq!(header.base_offset as u64, *base);
                    assert!(*base == offset || *base < offset && offset == start);
                    assert_eq!(stored[16..], sent[16..], "the bytes as they were sent");
                    offset = base + header.records();
                }
            }
            assert_eq!((offset, rest.next()), (end, None), "{id} is whole");
        }
    }

    /// The only file with this ending in a partition's directory, or the n-th.
    pub(crate) fn file(&self, ending: &str, index: usize) -> PathBuf {
        let dir = paths::partition_dir(&pyramid(), P);
        let names = self.disk.list(&dir).unwrap().into_iter().map(|entry| entry.name);
        let found: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
        dir.join(&found[index])
    }
}
