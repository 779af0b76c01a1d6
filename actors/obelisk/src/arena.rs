//! The arena's actor: it opens the file, gives out handles of counters, and
//! raises their bounds. While one raise syncs, all wishes that come are collected
//! for the next, so that a sync serves everybody who waits.
//!
//! Two threads work for it: one raises, one opens, because opening a counter must
//! not take a place in the queue from a raise.

mod guard;

use crate::seat::Seat;
use guard::refuse_a_lost_arena;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_counter::cells::CellSource;
use pyralog_counter::{
    Arena, ArenaOptions, CounterError, CounterHandle, Refused, StartReport, Wish,
};
use pyralog_env::Disk;
use pyralog_model::{ApiError, CounterNumber, ErrorCode, StoreId};
use pyralog_pharaoh::CounterView;
use pyralog_store::{Health, HealthLatch, Sentinel, Worker};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Claims that may wait for a raise.
const WAITING_MAX: usize = 65_536;

type Reply<T> = RpcReplyPort<Result<T, ApiError>>;

/// What the arena answers.
#[derive(RactorMessage)]
pub(crate) enum ArenaMessage {
    /// Gives the handle of a counter, made if need be.
    Open { counter: CounterNumber, reply: Reply<CounterHandle> },
    /// Raises the bound of a counter by what is wished for; answered when that is
    /// durable.
    Raise { wish: Wish, reply: Reply<()> },
    /// Raises the bound of a counter ahead of use.
    RaiseAhead(CounterNumber),
    /// A raise has ended.
    Raised { counters: usize },
    /// Says what a counter stands at.
    View { counter: CounterNumber, reply: Reply<CounterView> },
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for ArenaMessage {
    fn from(Observe(reply): Observe) -> ArenaMessage {
        ArenaMessage::Observe(reply)
    }
}

/// What the arena needs.
#[derive(Clone)]
pub(crate) struct ArenaArguments {
    pub(crate) disk: Arc<dyn Disk>,
    /// `DIR/obelisk`.
    pub(crate) folder: PathBuf,
    pub(crate) store: StoreId,
    pub(crate) cells: Arc<dyn CellSource>,
    pub(crate) options: ArenaOptions,
    pub(crate) seat: Seat<ArenaMessage>,
    /// Fails when a sync does, for the rest of the process.
    pub(crate) health: HealthLatch,
    pub(crate) vitals: Vitals,
}

/// The actor.
pub(crate) struct ArenaKeeper;

/// What it holds.
pub(crate) struct ArenaState {
    arena: Arc<Arena>,
    report: StartReport,
    raiser: Worker,
    opener: Worker,
    health: HealthLatch,
    waiting: Vec<(Wish, Option<Reply<()>>)>,
    raising: bool,
    raises: u64,
    raised_counters: u64,
    vitals: Vitals,
    /// Stops the arena when another part of the data directory has failed.
    _sentinel: Sentinel,
}

impl Actor for ArenaKeeper {
    type Msg = ArenaMessage;
    type State = ArenaState;
    type Arguments = ArenaArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ArenaMessage>,
        arguments: ArenaArguments,
    ) -> Result<ArenaState, ActorProcessingErr> {
        if let Health::Failed { cause } = arguments.health.get() {
            return Err(format!("the data directory failed in this process ({cause})").into());
        }
        let seat = arguments.seat.clone();
        let state = tokio::task::block_in_place(|| open(arguments))?;
        seat.take(myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<ArenaMessage>,
        message: ArenaMessage,
        state: &mut ArenaState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            ArenaMessage::Open { counter, reply } => state.open(counter, reply),
            ArenaMessage::Raise { wish, reply } => state.wish(&myself, wish, Some(reply)),
            ArenaMessage::RaiseAhead(counter) => {
                state.wish(&myself, Wish { counter, count: 0 }, None);
            }
            ArenaMessage::Raised { counters } => state.raised(&myself, counters),
            ArenaMessage::View { counter, reply } => state.view(counter, reply),
            ArenaMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }

    /// Whoever issues has stopped before: the services are stopped first.
    async fn post_stop(
        &self,
        _: ActorRef<ArenaMessage>,
        state: &mut ArenaState,
    ) -> Result<(), ActorProcessingErr> {
        let closed = tokio::task::block_in_place(|| state.arena.close_clean());
        if let Err(error) = closed {
            if matches!(error, CounterError::Io { .. }) {
                state.health.fail(&format!("the arena of counters: {error}"));
            }
            tracing::warn!(%error, "the arena was not closed; its counters go on at their bounds");
        }
        Ok(())
    }
}

fn open(arguments: ArenaArguments) -> Result<ArenaState, ActorProcessingErr> {
    let ArenaArguments { disk, folder, store, cells, options, health, vitals, .. } = arguments;
    let path = folder.join("arena");
    disk.create_dir_all(&folder)?;
    disk.sync_dir(folder.parent().unwrap_or(&folder))?;
    if !disk.exists(&path)? {
        refuse_a_lost_arena(&disk, &folder)?;
    }
    let (arena, report) = Arena::open(&disk, &path, store, &*cells, options)?;
    if let Some(warning) = report.warning() {
        tracing::warn!("{warning}");
    }
    let arena = Arc::new(arena);
    let stopping = Arc::clone(&arena);
    let sentinel =
        health.on_failure(move |cause| tokio::task::block_in_place(|| stopping.stop(&cause)));
    Ok(ArenaState {
        arena,
        _sentinel: sentinel,
        report,
        raiser: Worker::start("pyralog-raiser", health.clone())?,
        opener: Worker::start("pyralog-arena", health.clone())?,
        health,
        waiting: Vec::new(),
        raising: false,
        raises: 0,
        raised_counters: 0,
        vitals,
    })
}

impl ArenaState {
    fn open(&self, counter: CounterNumber, reply: Reply<CounterHandle>) {
        let (arena, health) = (Arc::clone(&self.arena), self.health.clone());
        // A job that finds no place drops its reply, and its asker tries again.
        drop(self.opener.run(move || {
            let opened = match arena.counter(counter) {
                Err(CounterError::NotCreated { .. }) => {
                    arena.create(&[counter]).and_then(|()| arena.counter(counter))
                }
                opened => opened,
            };
            let _ = reply.send(opened.map_err(|error| judge(&arena, &health, &error)));
        }));
    }

    fn view(&self, counter: CounterNumber, reply: Reply<CounterView>) {
        let (arena, health) = (Arc::clone(&self.arena), self.health.clone());
        drop(self.opener.run(move || {
            let value = arena.value(counter);
            let bound = value.and_then(|value| Ok((value, arena.bound(counter)?)));
            let view = match bound {
                Ok((value, durable_bound)) => Ok(CounterView { value, durable_bound }),
                // Made in the directory, and not claimed from yet.
                Err(CounterError::NotCreated { .. }) => {
                    Ok(CounterView { value: 0, durable_bound: 0 })
                }
                Err(error) => Err(judge(&arena, &health, &error)),
            };
            let _ = reply.send(view);
        }));
    }

    fn wish(&mut self, myself: &ActorRef<ArenaMessage>, wish: Wish, reply: Option<Reply<()>>) {
        if self.waiting.len() >= WAITING_MAX {
            if let Some(reply) = reply {
                let message = format!("{WAITING_MAX} claims wait for a sync already; try again");
                let _ = reply.send(Err(ApiError::new(ErrorCode::Overloaded, message)));
            }
            return;
        }
        self.waiting.push((wish, reply));
        self.raise(myself);
    }

    /// One raise at a time, for all who wait when it begins.
    fn raise(&mut self, myself: &ActorRef<ArenaMessage>) {
        if self.raising || self.waiting.is_empty() {
            return;
        }
        self.raising = true;
        let waiting = std::mem::take(&mut self.waiting);
        let (arena, health) = (Arc::clone(&self.arena), self.health.clone());
        let myself = myself.clone();
        // The raiser has no other jobs, so that there is always a place for it.
        drop(self.raiser.run(move || {
            let wishes: Vec<Wish> = waiting.iter().map(|(wish, _)| *wish).collect();
            let raised = arena.raise_each(&wishes).map_err(|e| judge(&arena, &health, &e));
            let counters = raised.as_ref().map_or(0, |(raised, _)| raised.counters);
            answer(waiting, raised.map(|(_, refused)| refused));
            let _ = myself.cast(ArenaMessage::Raised { counters });
        }));
    }

    fn raised(&mut self, myself: &ActorRef<ArenaMessage>, counters: usize) {
        self.raising = false;
        self.raises += 1;
        self.raised_counters += counters as u64;
        self.raise(myself);
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        if let Some(cause) = self.arena.failure() {
            self.vitals.set_state("failstop");
            self.vitals.failed(cause);
        }
        let detail = |name, value: u64| self.vitals.set_detail(name, value.to_string());
        detail("incarnation", self.report.incarnation);
        detail("file_bytes", self.report.file_bytes);
        detail("counters_max", self.report.counters_max);
        detail("counters_active", self.arena.count() as u64);
        detail("raises", self.raises);
        detail("raised_counters", self.raised_counters);
        detail("waiting", self.waiting.len() as u64);
        self.vitals.set_detail("cells", self.report.cells);
        self.vitals.set_detail("started_clean", self.report.clean.to_string());
        let _ = reply.send(self.vitals.snapshot());
    }
}

/// Everybody is answered; a counter that is refused takes no other one along.
fn answer(waiting: Vec<(Wish, Option<Reply<()>>)>, raised: Result<Vec<Refused>, ApiError>) {
    let refused = raised.map(|refused| {
        let one = |refused: &Refused| (refused.counters.clone(), ApiError::from(&refused.error));
        let all = refused.iter().map(one);
        all.flat_map(|(counters, error)| counters.into_iter().map(move |c| (c, error.clone())))
            .collect::<BTreeMap<_, _>>()
    });
    for (wish, reply) in waiting {
        let Some(reply) = reply else { continue };
        let answer = match &refused {
            Ok(refused) => refused.get(&wish.counter).map_or(Ok(()), |error| Err(error.clone())),
            Err(error) => Err(error.clone()),
        };
        let _ = reply.send(answer);
    }
}

/// What the asker is told; a failure that is final ends this process's promises.
fn judge(arena: &Arena, health: &HealthLatch, error: &CounterError) -> ApiError {
    if let Some(cause) = arena.failure() {
        health.fail(&format!("the arena of counters: {cause}"));
    }
    ApiError::from(error)
}
