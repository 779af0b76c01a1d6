//! The actor of a data directory: it recovers it, starts its threads, gives out
//! the handle, and ends the threads when it goes, however it goes.
//!
//! Its threads end before its state is gone, and a supervisor starts it again
//! only after that, so two incarnations never write the same files. A clean stop
//! writes every tail into its segment; a kill leaves that to recovery.

use crate::checkpoints::MetaCheckpoints;
use crate::committing::{CommitJob, Committing};
use crate::handle::StoreHandle;
use crate::health::{Health, HealthLatch};
use crate::keys::{Keeping, KeyOptions, Keys, KeysJob};
use crate::metrics::StoreGauges;
use crate::reading;
use crate::relaxing::Relaxing;
use crate::scrubbing::{ScrubJob, Scrubbing};
use crate::thread::OwnedThread;
use crate::upkeep::{Setbacks, Stop, Upkeep, UpkeepJob, UpkeepOptions};
use crate::writing::{WriterJob, Writing};
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_env::{Clock, Disk};
use pyralog_log::{LogError, LogOptions, RecoveryReport, Scrubber};
use pyralog_meta::MetaError;
use pyralog_model::StoreId;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, RwLock};
use tokio::sync::mpsc;

/// Jobs that may wait for the committer.
const COMMIT_QUEUE_MAX: usize = 8_192;
/// Tasks, reports and small jobs that may wait for or from the segment writer.
const WRITER_QUEUE_MAX: usize = 1_024;
/// Those who may wait for a scrub.
const SCRUB_QUEUE_MAX: usize = 8;
const READER_THREADS: usize = 2;
/// Everybody waits for the committer, and it mostly waits for the disk: it goes
/// first; the other committer has nothing to wait for. Nobody waits for the segment writer: it goes last.
const COMMITTER_NICE: i32 = -15;
const RELAXED_NICE: i32 = -10;
const WRITER_NICE: i32 = 10;
const UPKEEP_NICE: i32 = 19;
/// Requests to look after old records that may wait: a few are as good as many.
const UPKEEP_QUEUE_MAX: usize = 4;

/// What the store answers.
#[derive(RactorMessage)]
pub enum StoreMessage {
    /// Gives the handle that hot paths hold.
    GiveHandle(RpcReplyPort<StoreHandle>),
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for StoreMessage {
    fn from(Observe(reply): Observe) -> StoreMessage {
        StoreMessage::Observe(reply)
    }
}

/// What a store needs.
#[derive(Clone)]
pub struct StoreArguments {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The clock that commit times are measured by.
    pub clock: Arc<dyn Clock>,
    /// `DIR/pyramid`.
    pub pyramid: PathBuf,
    /// The store id of the data directory.
    pub store: StoreId,
    /// Sizes and thresholds.
    pub options: LogOptions,
    /// How old records are looked after.
    pub upkeep: UpkeepOptions,
    /// How keys are indexed.
    pub keys: KeyOptions,
    /// Remembers a failure over restarts of the actor.
    pub health: HealthLatch,
    /// Where the threads count.
    pub gauges: Arc<StoreGauges>,
    /// The counters that the supervisor reads.
    pub vitals: Vitals,
}

/// The actor.
pub struct Store;

/// What it holds. The order of the fields does not matter: `Drop` ends them.
pub struct StoreState {
    handle: StoreHandle,
    vitals: Vitals,
    committer: OwnedThread,
    relaxed: OwnedThread,
    writer: OwnedThread,
    readers: Vec<OwnedThread>,
    scrub: OwnedThread,
    upkeep: OwnedThread,
    keeping_keys: OwnedThread,
    /// Tells those who look after what is there already.
    stop: Arc<Stop>,
}

impl Actor for Store {
    type Msg = StoreMessage;
    type State = StoreState;
    type Arguments = StoreArguments;

    async fn pre_start(
        &self,
        _: ActorRef<StoreMessage>,
        arguments: StoreArguments,
    ) -> Result<StoreState, ActorProcessingErr> {
        if let Health::Failed { cause } = arguments.health.get() {
            return Err(format!("the store failed in this process ({cause})").into());
        }
        // Recovery reads the disk; the other workers carry on meanwhile. What
        // failed in it may be a sync, and is not tried again in this process.
        let health = arguments.health.clone();
        let opened = tokio::task::block_in_place(|| open(arguments));
        opened.inspect_err(|error| {
            if !is_disk_full(&**error) {
                health.fail(&error.to_string());
            }
        })
    }

    async fn handle(
        &self,
        _: ActorRef<StoreMessage>,
        message: StoreMessage,
        state: &mut StoreState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            StoreMessage::GiveHandle(reply) => Self::give_handle(reply, state),
            StoreMessage::Observe(reply) => Self::observe(reply, state),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<StoreMessage>,
        state: &mut StoreState,
    ) -> Result<(), ActorProcessingErr> {
        tokio::task::block_in_place(|| state.stop(true));
        Ok(())
    }
}

impl Store {
    fn give_handle(reply: RpcReplyPort<StoreHandle>, state: &StoreState) {
        let _ = reply.send(state.handle.clone());
    }

    fn observe(reply: RpcReplyPort<Snapshot>, state: &StoreState) {
        let metrics = state.handle.metrics();
        if let Health::Failed { cause } = state.handle.health.get() {
            state.vitals.set_state("failstop");
            state.vitals.failed(&cause);
        }
        state.vitals.set_detail("rounds", metrics.rounds.to_string());
        state.vitals.set_detail("direct_writes", metrics.direct_writes.to_string());
        state.vitals.set_detail("batches", metrics.batches.to_string());
        let _ = reply.send(state.vitals.snapshot());
    }
}

impl StoreState {
    /// Ends the threads: upkeep first, since it waits for the segment writer, then those
    /// that feed the others; the committer last of them, for it has the writer end.
    fn stop(&mut self, clean: bool) {
        // It may be in the middle of a step, which need not be waited for yet.
        while let Err(TrySendError::Full(_)) = self.handle.scrubs.try_send(ScrubJob::Stop) {
            std::thread::yield_now();
        }
        self.stop.tell();
        // When a queue is full, what waits there tells them to look whether they are told.
        let _ = self.handle.upkeep.try_send(UpkeepJob::Stop);
        let _ = self.handle.key_looks.try_send(KeysJob::Stop);
        self.upkeep.join();
        self.keeping_keys.join();
        let committers = [
            (&self.handle.relaxed, &mut self.relaxed),
            (&self.handle.commits, &mut self.committer),
        ];
        for (jobs, thread) in committers {
            let stop = || CommitJob::Stop { clean };
            while let Err(mpsc::error::TrySendError::Full(_)) = jobs.try_send(stop()) {
                std::thread::yield_now();
            }
            thread.join();
        }
        let _ = self.handle.writes.send(WriterJob::Stop);
        self.writer.join();
        self.handle.keys.end();
        for reads in [&self.handle.reads, &self.handle.key_reads] {
            while let Err(mpsc::error::TrySendError::Full(_)) = reads.try_send(None) {
                std::thread::yield_now();
            }
        }
        self.readers.iter_mut().for_each(OwnedThread::join);
        self.scrub.join();
    }
}

impl Drop for StoreState {
    fn drop(&mut self) {
        self.stop(false);
    }
}

fn is_disk_full(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let log = error.downcast_ref::<LogError>();
    let meta = error.downcast_ref::<MetaError>();
    matches!(log, Some(LogError::DiskFull { .. })) || meta.is_some_and(MetaError::is_disk_full)
}

fn open(arguments: StoreArguments) -> Result<StoreState, Box<dyn std::error::Error + Send + Sync>> {
    let StoreArguments {
        disk,
        clock,
        pyramid,
        store,
        options,
        upkeep,
        keys,
        health,
        gauges,
        vitals,
    } = arguments;
    disk.create_dir_all(&pyramid)?;
    let path = pyramid.join("meta.redb");
    let checkpoints = Box::new(MetaCheckpoints::open(Arc::clone(&disk), &path)?);
    let before = clock.monotonic();
    let recovered =
        pyralog_log::recover(Arc::clone(&disk), &pyramid, store, checkpoints, options.clone())?;
    describe(&vitals, &recovered.report, (clock.monotonic() - before).as_millis());

    let scrubber = Scrubber::new(Arc::clone(&disk), &options);
    let LogOptions { scrub_interval, scrub_bytes_per_second, .. } = options;
    let keys = Arc::new(Keys::new(
        Arc::clone(&disk),
        Arc::clone(&clock),
        store,
        keys,
        Arc::clone(&gauges),
        &recovered.partitions,
    ));
    let (commits, jobs) = mpsc::channel(COMMIT_QUEUE_MAX);
    let (relaxed, relaxed_jobs) = mpsc::channel(COMMIT_QUEUE_MAX);
    let (writes, writer_jobs): (SyncSender<WriterJob>, _) = sync_channel(WRITER_QUEUE_MAX);
    let (reports_to, reports) = sync_channel(WRITER_QUEUE_MAX);
    let (reads, mut readers) = reading::start(READER_THREADS)?;
    let (key_reads, key_readers) = reading::start(READER_THREADS)?;
    readers.extend(key_readers);
    let committing = Committing {
        committer: recovered.committer,
        jobs,
        tasks: writes.clone(),
        reports,
        health: health.clone(),
        gauges: Arc::clone(&gauges),
        clock: Arc::clone(&clock),
        stalled: None,
        refusing: false,
    };
    let relaxing = Relaxing {
        committer: recovered.relaxed,
        jobs: relaxed_jobs,
        tasks: writes.clone(),
        health: health.clone(),
        gauges: Arc::clone(&gauges),
    };
    let (disk_of_handle, pyramid_of_handle) = (Arc::clone(&disk), Arc::from(pyramid.as_path()));
    let writing = Writing {
        writer: recovered.writer,
        jobs: writer_jobs,
        reports: reports_to,
        disk,
        pyramid,
        store,
        options,
        health: health.clone(),
        tasks: VecDeque::new(),
        stalled: false,
    };
    let partitions = Arc::new(RwLock::new(recovered.partitions));
    let (scrubs, scrub_jobs) = sync_channel(SCRUB_QUEUE_MAX);
    let scrubbing = Scrubbing {
        scrubber,
        partitions: Arc::clone(&partitions),
        jobs: scrub_jobs,
        gauges: Arc::clone(&gauges),
        clock: Arc::clone(&clock),
        interval: scrub_interval,
        bytes_per_second: scrub_bytes_per_second,
    };
    let (looks, upkeep_jobs) = sync_channel(UPKEEP_QUEUE_MAX);
    let stop = Arc::new(Stop::default());
    let (key_looks, key_jobs) = sync_channel(UPKEEP_QUEUE_MAX);
    let keeping = Keeping { keys: Arc::clone(&keys), jobs: key_jobs, stop: Arc::clone(&stop) };
    let upkeep = Upkeep {
        jobs: upkeep_jobs,
        stop: Arc::clone(&stop),
        partitions: Arc::clone(&partitions),
        writes: writes.clone(),
        clock: Arc::clone(&clock),
        health: health.clone(),
        gauges: Arc::clone(&gauges),
        options: upkeep,
        setbacks: Setbacks::default(),
    };
    Ok(StoreState {
        handle: StoreHandle {
            commits,
            relaxed,
            writes,
            reads,
            key_reads,
            scrubs,
            upkeep: looks,
            key_looks,
            keys,
            partitions,
            health: health.clone(),
            gauges,
            clock,
            disk: disk_of_handle,
            pyramid: pyramid_of_handle,
        },
        vitals,
        committer: OwnedThread::start_vital(
            "pyralog-commit",
            COMMITTER_NICE,
            health.clone(),
            || committing.run(),
        )?,
        relaxed: OwnedThread::start_vital("pyralog-relaxed", RELAXED_NICE, health.clone(), || {
            relaxing.run()
        })?,
        writer: OwnedThread::start_vital("pyralog-segment", WRITER_NICE, health, || writing.run())?,
        readers,
        scrub: OwnedThread::start_idle("pyralog-scrub", || scrubbing.run())?,
        upkeep: OwnedThread::start_nice("pyralog-upkeep", UPKEEP_NICE, || upkeep.run())?,
        keeping_keys: OwnedThread::start_nice("pyralog-keys", WRITER_NICE, || keeping.run())?,
        stop,
    })
}

fn describe(vitals: &Vitals, report: &RecoveryReport, took_ms: u128) {
    let RecoveryReport { rounds, frames_replayed, torn_tails } = report;
    tracing::info!(rounds, frames_replayed, torn_tails, took_ms, "the store is open");
    vitals.set_detail("recovered_rounds", rounds.to_string());
    vitals.set_detail("recovered_frames", frames_replayed.to_string());
    vitals.set_detail("recovery_ms", took_ms.to_string());
}
