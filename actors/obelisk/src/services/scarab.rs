//! Keeps the Obelisk's own lane usable: a lease from the directory, and a local
//! bound that is durable before ids below it are issued. Both are renewed when ids
//! are asked for; an Obelisk of which nobody asks ids does nothing.

use crate::desk::Desk;
use crate::directory::OwnStart;
use crate::mint::{AHEAD_MS, Mint};
use crate::seat::Seat;
use crate::services::LanesMessage;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_counter::{BoundFile, CounterError, LaneClock};
use pyralog_directory::Directory;
use pyralog_env::Disk;
use pyralog_model::{ApiError, CounterNumber, ErrorCode, Incarnation, LogicalClock, StoreId};
use pyralog_pharaoh::LaneGrant;
use pyralog_store::{HealthLatch, Sentinel, Worker};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What the service answers.
#[derive(RactorMessage)]
pub(crate) enum ScarabMessage {
    /// Makes ids possible, now and for a while.
    Prepare { reply: Option<RpcReplyPort<Result<(), ApiError>>> },
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for ScarabMessage {
    fn from(Observe(reply): Observe) -> ScarabMessage {
        ScarabMessage::Observe(reply)
    }
}

/// What the service needs.
#[derive(Clone)]
pub(crate) struct ScarabArguments {
    pub(crate) disk: Arc<dyn Disk>,
    /// `DIR/obelisk/lane`; its folder exists.
    pub(crate) path: PathBuf,
    pub(crate) store: StoreId,
    pub(crate) mint: Mint,
    pub(crate) lanes: Seat<LanesMessage>,
    pub(crate) own: Arc<watch::Sender<OwnStart>>,
    pub(crate) health: HealthLatch,
    pub(crate) vitals: Vitals,
}

/// The actor.
pub(crate) struct Scarab;

/// What it holds.
pub(crate) struct ScarabState {
    mint: Mint,
    lanes: Seat<LanesMessage>,
    /// The start that the lane is leased to.
    incarnation: Incarnation,
    /// Only ever used by the worker's thread once it runs.
    file: Arc<Mutex<BoundFile>>,
    worker: Worker,
    health: HealthLatch,
    /// Nothing at or past it was ever issued here.
    bound: LogicalClock,
    raises: u64,
    leases: u64,
    vitals: Vitals,
    /// Has ids stopped when another part of the data directory has failed.
    _sentinel: Sentinel,
}

impl Actor for Scarab {
    type Msg = ScarabMessage;
    type State = ScarabState;
    type Arguments = ScarabArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ScarabMessage>,
        arguments: ScarabArguments,
    ) -> Result<ScarabState, ActorProcessingErr> {
        let ScarabArguments { disk, path, store, mint, lanes, own, health, vitals } = arguments;
        let incarnation = match &*own.borrow() {
            Some(Ok(membership)) => membership.incarnation,
            _ => return Err("this node has not registered its start".into()),
        };
        if let Some(cause) = health.failure() {
            return Err(format!("the data directory failed in this process ({cause})").into());
        }
        let file = tokio::task::block_in_place(|| {
            let mut file = BoundFile::open(&disk, &path, store)?;
            if file.bound() == 0 {
                // From now on it shows that there was a directory here.
                file.raise(1)?;
            }
            Ok::<_, CounterError>(file)
        })?;
        let worker = Worker::start("pyralog-scarab", health.clone())?;
        let desk: &Desk = mint.tally();
        desk.open();
        let bound = LogicalClock(file.bound());
        // If the wall has gone back meanwhile, ids go on at the bound. They may be a
        // second ahead of the time: half of it is left for those that come now.
        let ahead = AHEAD_MS / 2 * LogicalClock::PER_MILLISECOND;
        mint.steady().raise_to(LogicalClock(bound.0.saturating_sub(ahead)));
        let me = myself.clone();
        let sentinel = health.on_failure(move |_| {
            let _ = me.cast(ScarabMessage::Prepare { reply: None });
        });
        let state = ScarabState {
            _sentinel: sentinel,
            lanes,
            incarnation,
            bound,
            file: Arc::new(Mutex::new(file)),
            worker,
            health,
            raises: 0,
            leases: 0,
            vitals,
            mint,
        };
        let desk = state.mint.tally();
        desk.fetch(CounterNumber::SCARABS, desk.opening()).await?;
        state.mint.heard();
        state.mint.seat().take(myself);
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<ScarabMessage>,
        message: ScarabMessage,
        state: &mut ScarabState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            ScarabMessage::Prepare { reply } => state.prepare_for(reply).await,
            ScarabMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<ScarabMessage>,
        state: &mut ScarabState,
    ) -> Result<(), ActorProcessingErr> {
        state.mint.settle().await;
        state.release().await;
        Ok(())
    }
}

impl ScarabState {
    async fn prepare_for(&mut self, reply: Option<RpcReplyPort<Result<(), ApiError>>>) {
        let prepared = self.prepare().await;
        self.mint.settle().await;
        self.mint.heard();
        if let Err(error) = &prepared {
            self.vitals.failed(&error.message);
        }
        if let Some(reply) = reply {
            let _ = reply.send(prepared);
        }
    }

    /// Of many who ask at once, the first gets things done for all.
    async fn prepare(&mut self) -> Result<(), ApiError> {
        if let Some(cause) = self.health.failure() {
            self.mint.install(None);
            let message = format!("ids have stopped: {cause}; restart the node");
            return Err(ApiError::new(ErrorCode::StorageFailed, message));
        }
        let now = self.mint.steady().now();
        let lane = self.mint.lane();
        if lane.is_none_or(|lane| lane.needs_lease(now)) {
            self.lease().await?;
        }
        match self.mint.lane() {
            Some(lane) if lane.needs_raise(now) => self.raise(&lane, now).await,
            _ => Ok(()),
        }
    }

    async fn lease(&mut self) -> Result<(), ApiError> {
        self.leases += 1;
        let present = self.mint.lane();
        // Another lane begins in a later millisecond, so that ids increase.
        let floor = present.as_ref().map_or(self.bound, |lane| lane.next());
        let floor = whole_ms(floor);
        let (node, incarnation) = (Directory::OBELISKS, self.incarnation);
        let lease = |reply| LanesMessage::Lease { node, incarnation, floor, reply };
        let LaneGrant { lane, from, to, .. } = self.lanes.change(lease).await?;
        match present {
            Some(present) if present.lane() == lane && present.from() == from => {
                present.extend(to);
            }
            Some(_) | None => {
                let floor =
                    floor.max(self.mint.lane().map_or(floor, |last| whole_ms(last.retire())));
                let next = LaneClock::new(lane, from.max(floor), to);
                next.set_durable(self.bound);
                self.mint.install(Some(next));
            }
        }
        Ok(())
    }

    async fn raise(&mut self, lane: &LaneClock, now: LogicalClock) -> Result<(), ApiError> {
        let bound = whole_ms(lane.raise_target(now));
        let file = Arc::clone(&self.file);
        let raised = self.worker.run(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.raise(bound.0)
        });
        match raised.await {
            Some(Ok(())) => {
                self.raises += 1;
                self.bound = self.bound.max(bound);
                lane.set_durable(bound);
                Ok(())
            }
            Some(Err(error)) => {
                if !matches!(error, CounterError::DiskFull { .. }) {
                    self.health.fail(&format!("the bound of ids: {error}"));
                }
                Err(ApiError::from(&error))
            }
            None => Err(ApiError::unavailable("the Obelisk's lane of ids")),
        }
    }

    /// Best effort: a lease that is not given back runs out.
    async fn release(&mut self) {
        let Some(present) = self.mint.lane() else { return };
        let (lane, granted_to) = (present.lane(), present.to());
        let used_to = present.retire();
        let (node, incarnation) = (Directory::OBELISKS, self.incarnation);
        let release =
            |reply| LanesMessage::Release { node, incarnation, lane, granted_to, used_to, reply };
        if let Err(error) = self.lanes.change(release).await {
            tracing::debug!(%error, "the lane was not given back; its lease runs out");
        }
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let lane = self.mint.lane();
        let number =
            lane.as_ref().map_or("none".to_owned(), |lane| lane.lane().number().to_string());
        self.vitals.set_detail("lane", number);
        let now = self.mint.steady().now();
        let left = lane.map_or(0, |lane| lane.to().unix_ms().saturating_sub(now.unix_ms()));
        let detail = |name, value: u64| self.vitals.set_detail(name, value.to_string());
        detail("lease_remaining_ms", left);
        detail("ids_issued", self.mint.issued());
        detail("leases", self.leases);
        detail("raises", self.raises);
        let _ = reply.send(self.vitals.snapshot());
    }
}

impl Drop for ScarabState {
    fn drop(&mut self) {
        // Without its keeper a lane must not issue.
        self.mint.install(None);
        self.mint.tally().close();
    }
}

/// The first whole millisecond at or after `clock`: within one, the lane decides
/// which of two ids is greater.
fn whole_ms(clock: LogicalClock) -> LogicalClock {
    match clock.0 % LogicalClock::PER_MILLISECOND {
        0 => clock,
        part => clock.plus(LogicalClock::PER_MILLISECOND - part),
    }
}
