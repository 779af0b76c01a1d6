//! The real storage engine on a simulated disk, in one thread: the committer,
//! the segment writer and the queue between them, which a world drains early,
//! late or one at a time.

use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_log::{
    Committer, Completion, LogError, LogOptions, PartitionLog, RecoveryReport, SegmentWriter,
    Submission, WriterReport, WriterTask, create_partition, delete_log, recover,
};
use pyralog_model::{LogNumber, PartitionId, StoreId};
use pyralog_store::MetaCheckpoints;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

pub(crate) const DIRECTORY: &str = "/data";
const PYRAMID: &str = "/data/pyramid";
const META: &str = "/data/pyramid/meta.redb";
const STORE: StoreId = StoreId(0x0bad_cafe_0bad_cafe);

/// A running store.
pub(crate) struct Engine {
    disk: SimDisk,
    options: LogOptions,
    committer: Committer,
    writer: SegmentWriter,
    tasks: VecDeque<WriterTask>,
    pub(crate) partitions: BTreeMap<PartitionId, Arc<PartitionLog>>,
    pub(crate) report: RecoveryReport,
}

impl Engine {
    /// Starts on whatever the disk holds. The error is the store's own words.
    pub(crate) fn start(disk: &SimDisk, options: &LogOptions) -> Result<Engine, String> {
        let world: Arc<dyn Disk> = Arc::new(disk.clone());
        let path = Path::new(META);
        world.create_dir_all(Path::new(PYRAMID)).map_err(|error| error.to_string())?;
        let checkpoints = MetaCheckpoints::open(Arc::clone(&world), path);
        let checkpoints = Box::new(checkpoints.map_err(|error| error.to_string())?);
        let recovered = recover(world, Path::new(PYRAMID), STORE, checkpoints, options.clone())
            .map_err(|error| error.to_string())?;
        Ok(Engine {
            disk: disk.clone(),
            options: options.clone(),
            committer: recovered.committer,
            writer: recovered.writer,
            tasks: VecDeque::new(),
            partitions: recovered.partitions,
            report: recovered.report,
        })
    }

    pub(crate) fn step(&mut self, submissions: Vec<Submission>) -> Vec<Completion> {
        let completions = self.committer.step(submissions);
        self.tasks.extend(self.committer.take_tasks());
        completions
    }

    /// True if a round of `bytes` has room without any task being run.
    pub(crate) fn has_room(&mut self, bytes: usize) -> bool {
        let room = self.committer.has_room(bytes);
        self.tasks.extend(self.committer.take_tasks());
        room
    }

    /// Runs the oldest task of the segment writer, if there is one.
    pub(crate) fn run_task(&mut self) -> Option<WriterReport> {
        let report = self.writer.step(self.tasks.front()?);
        if !matches!(report, WriterReport::Stalled(_)) {
            self.tasks.pop_front();
        }
        self.committer.heed(report.clone());
        Some(report)
    }

    /// Queues the task that writes everything.
    pub(crate) fn ask_to_finish(&mut self) {
        let task = self.committer.finish();
        self.tasks.extend(self.committer.take_tasks());
        self.tasks.push_back(task);
    }

    pub(crate) fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.committer.failure()
    }

    pub(crate) fn fail(&mut self, cause: String) {
        self.committer.fail(cause);
    }

    pub(crate) fn counts(&self) -> (u64, u64) {
        let counts = self.committer.counts();
        (counts.rounds, counts.direct_writes)
    }

    pub(crate) fn create(&mut self, id: PartitionId) -> Result<(), LogError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let log = create_partition(&disk, Path::new(PYRAMID), STORE, id, &self.options)?;
        self.partitions.insert(id, log);
        Ok(())
    }

    /// Removes the files of a log whose partitions are closed.
    pub(crate) fn delete(&mut self, log: LogNumber) -> Result<(), LogError> {
        self.partitions.retain(|id, _| id.log != log);
        delete_log(&self.disk, Path::new(PYRAMID), log)?;
        match self.writer.step(&WriterTask::Forget(log)) {
            WriterReport::Failed(cause) => {
                self.committer.fail(cause.clone());
                Err(LogError::Failed { cause })
            }
            WriterReport::Stalled(_) => {
                self.tasks.push_back(WriterTask::Forget(log));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
