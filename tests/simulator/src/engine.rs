//! The real storage engine on a simulated disk, in one thread: both committers,
//! the segment writer and the queue between them, which a world drains early,
//! late or one at a time.

use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_log::{
    Committer, Completion, LogError, LogOptions, Mutation, PartitionLog, RecoveryReport,
    RelaxedCommitter, SegmentWriter, Submission, WriterReport, WriterTask, create_partition,
    delete_log, recover,
};
use pyralog_model::{Durability, LogNumber, Offset, PartitionId, StoreId};
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
    relaxed: RelaxedCommitter,
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
            relaxed: recovered.relaxed,
            writer: recovered.writer,
            tasks: VecDeque::new(),
            partitions: recovered.partitions,
            report: recovered.report,
        })
    }

    /// Hands each submission to the committer of its log, and the answers back in order.
    pub(crate) fn step(&mut self, submissions: Vec<Submission>) -> Vec<Completion> {
        let relaxed: Vec<bool> = submissions.iter().map(|one| self.is_relaxed(one)).collect();
        let (mut weak, mut strong) = (Vec::new(), Vec::new());
        for (submission, relaxed) in submissions.into_iter().zip(&relaxed) {
            if *relaxed { &mut weak } else { &mut strong }.push(submission);
        }
        let mut weak = self.relaxed.step(weak).into_iter();
        self.share_failure();
        let mut strong = self.committer.step(strong).into_iter();
        self.share_failure();
        self.tasks.extend(self.relaxed.take_tasks());
        self.tasks.extend(self.committer.take_tasks());
        let answers = relaxed.iter().map(|relaxed| match relaxed {
            true => weak.next(),
            false => strong.next(),
        });
        answers.map(|answer| answer.expect("each is answered")).collect()
    }

    fn is_relaxed(&self, submission: &Submission) -> bool {
        let log = match submission {
            Submission::Open(log) => Some(log),
            Submission::Append(append) => self.partitions.get(&append.partition),
            Submission::Truncate { partition, .. } | Submission::Close(partition) => {
                self.partitions.get(partition)
            }
            Submission::Barrier => None,
        };
        // The bug is that one of them comes to the other committer.
        let strayed = self.options.mutation == Some(Mutation::HoleInWal);
        match log.map_or(Durability::Fsync, |log| log.durability()) {
            Durability::Fsync => false,
            Durability::PageCache => !strayed,
            Durability::Memory => true,
        }
    }

    /// What fails in one part of a store ends all of it.
    fn share_failure(&mut self) {
        if let Some(cause) = self.relaxed.failure().map(str::to_owned) {
            self.committer.fail(cause);
        }
        if let Some(cause) = self.committer.failure().map(str::to_owned) {
            self.relaxed.fail(cause);
        }
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
        self.share_failure();
        Some(report)
    }

    /// The task that comes next.
    pub(crate) fn next_task(&self) -> Option<&WriterTask> {
        self.tasks.front()
    }

    /// Lets a partition begin later.
    pub(crate) fn move_start(&mut self, id: PartitionId, to: Offset) -> Result<Offset, LogError> {
        let moved = self.writer.move_start(&self.partitions[&id], to);
        self.heed_writer();
        moved
    }

    /// Seals the segment that grows.
    pub(crate) fn seal(&mut self, id: PartitionId) -> Result<(), LogError> {
        let sealed = self.writer.seal(&self.partitions[&id]);
        self.heed_writer();
        sealed
    }

    fn heed_writer(&mut self) {
        if let Some(cause) = self.writer.failure() {
            self.committer.fail(cause.to_owned());
            self.share_failure();
        }
    }

    /// Queues the task that writes everything.
    pub(crate) fn ask_to_finish(&mut self) {
        let task = self.committer.finish();
        self.tasks.extend(self.committer.take_tasks());
        self.tasks.push_back(task);
    }

    /// Ends the logs that are not synced, cleanly: nothing more of them is taken.
    pub(crate) fn finish_relaxed(&mut self) {
        let tasks = self.relaxed.finish();
        self.tasks.extend(tasks);
    }

    /// Bytes of records in memory, as the committer counts them.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.relaxed.counts().memory_bytes
    }

    pub(crate) fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.committer.failure()
    }

    pub(crate) fn fail(&mut self, cause: String) {
        self.committer.fail(cause);
        self.share_failure();
    }

    pub(crate) fn counts(&self) -> (u64, u64) {
        let counts = self.committer.counts();
        (counts.rounds, counts.direct_writes)
    }

    pub(crate) fn create(
        &mut self,
        id: PartitionId,
        durability: Durability,
    ) -> Result<(), LogError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let pyramid = Path::new(PYRAMID);
        let log = create_partition(&disk, pyramid, STORE, id, durability, &self.options)?;
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
