//! The actor that keeps the lane: it asks the directory for leases and writes the
//! local bound, as the pure `keeping` says, and gives the lane back when the node
//! stops.

use super::keeping::{Keeping, KeepingEffect, KeepingInput};
use super::{LaneHandle, Used};
use crate::pharaoh::Pharaoh;
use crate::protocol::{Answer, LaneGrant, Request};
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_counter::{BoundFile, CounterError};
use pyralog_env::{Disk, Monotonic};
use pyralog_model::{ApiError, ErrorCode, Incarnation, LogicalClock, NodeNumber, StoreId};
use pyralog_store::{HealthLatch, Sentinel, Worker};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long giving the lane back may hold up the end of the node.
const RELEASE_PATIENCE: Duration = Duration::from_millis(500);

/// What the lane's actor is told.
#[derive(RactorMessage)]
pub(crate) enum LaneMessage {
    Keep(Keep),
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

/// What the pure part is told, and what came of a lease.
pub(crate) enum Keep {
    Input(KeepingInput),
    Leased(Result<LaneGrant, ApiError>, Monotonic),
}

impl From<Observe> for LaneMessage {
    fn from(Observe(reply): Observe) -> LaneMessage {
        LaneMessage::Observe(reply)
    }
}

#[derive(Clone)]
pub(crate) struct LaneArguments {
    pub(crate) pharaoh: Pharaoh,
    pub(crate) disk: Arc<dyn Disk>,
    /// `DIR/pyramid/lane`.
    pub(crate) path: PathBuf,
    pub(crate) store: StoreId,
    pub(crate) health: HealthLatch,
    pub(crate) vitals: Vitals,
}

pub(crate) struct LaneKeeper;

pub(crate) struct LaneActorState {
    pharaoh: Pharaoh,
    lane: LaneHandle,
    keeping: Keeping,
    /// Only ever used by the worker's thread once it runs.
    file: Arc<Mutex<BoundFile>>,
    worker: Worker,
    health: HealthLatch,
    vitals: Vitals,
    /// When the grant that is being used came.
    granted_at: Monotonic,
    member: Option<(NodeNumber, Incarnation)>,
    listeners: Vec<JoinHandle<()>>,
    alarm: Option<JoinHandle<()>>,
    /// Has ids stopped when another part of the data directory has failed.
    _sentinel: Sentinel,
}

impl Actor for LaneKeeper {
    type Msg = LaneMessage;
    type State = LaneActorState;
    type Arguments = LaneArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<LaneMessage>,
        arguments: LaneArguments,
    ) -> Result<LaneActorState, ActorProcessingErr> {
        let LaneArguments { pharaoh, disk, path, store, health, vitals } = arguments;
        if let Some(cause) = health.failure() {
            return Err(format!("the data directory failed in this process ({cause})").into());
        }
        let file = tokio::task::block_in_place(|| open(&disk, &path, store))?;
        let worker = Worker::start("pyralog-lane", health.clone())?;
        let lane = pharaoh.lane();
        // An earlier incarnation may have left claims that nobody has heard.
        lane.close();
        lane.heard();
        lane.set_unleased(false);
        let me = myself.clone();
        let sentinel = health.on_failure(move |_| {
            let _ = me.cast(LaneMessage::Keep(Keep::Input(KeepingInput::RaiseFailed)));
        });
        Ok(LaneActorState {
            _sentinel: sentinel,
            keeping: Keeping::new(LogicalClock(file.bound())),
            listeners: vec![
                tell_of_membership(&pharaoh, myself.clone()),
                tell_of_wishes(&lane, myself),
            ],
            granted_at: pharaoh.shared().clock.monotonic(),
            pharaoh,
            lane,
            file: Arc::new(Mutex::new(file)),
            worker,
            health,
            vitals,
            member: None,
            alarm: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<LaneMessage>,
        message: LaneMessage,
        state: &mut LaneActorState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            LaneMessage::Keep(keep) => state.keep(&myself, keep),
            LaneMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<LaneMessage>,
        state: &mut LaneActorState,
    ) -> Result<(), ActorProcessingErr> {
        state.release().await;
        Ok(())
    }
}

impl LaneActorState {
    fn keep(&mut self, myself: &ActorRef<LaneMessage>, keep: Keep) {
        let input = match keep {
            Keep::Input(input) => input,
            Keep::Leased(outcome, at) => self.judge(outcome, at),
        };
        if let KeepingInput::Joined { node, incarnation } = input {
            self.member = Some((node, incarnation));
        }
        let mut effects = Vec::new();
        let now = self.pharaoh.shared().clock.monotonic();
        self.keeping.step(now, input, &mut effects);
        for effect in effects {
            self.perform(myself, effect);
        }
        if matches!(input, KeepingInput::Wanted { .. }) && !self.keeping.is_raising() {
            // The bound is high enough: it has been raised since it was asked for.
            self.lane.heard();
        }
        self.set_alarm(myself, now);
    }

    fn judge(&mut self, outcome: Result<LaneGrant, ApiError>, at: Monotonic) -> KeepingInput {
        self.granted_at = at;
        match outcome {
            Ok(grant) => {
                self.pharaoh.clear_error();
                KeepingInput::Granted(grant)
            }
            Err(error) => {
                self.vitals.failed(&error.message);
                self.pharaoh.set_error(&error);
                self.lane.set_unleased(true);
                match error.code {
                    ErrorCode::Fenced => {
                        tracing::error!(%error, "a later start of this node has its place");
                        KeepingInput::Fenced
                    }
                    _ => KeepingInput::NotGranted,
                }
            }
        }
    }

    fn perform(&mut self, myself: &ActorRef<LaneMessage>, effect: KeepingEffect) {
        match effect {
            KeepingEffect::Lease { node, incarnation, floor } => {
                self.lease(myself, Request::LeaseLane { node, incarnation, floor });
            }
            KeepingEffect::Use { grant, floor } => {
                self.lane.install(grant, floor, self.granted_at);
                self.tell_change();
            }
            KeepingEffect::Raise(bound) => self.raise(myself, bound),
            KeepingEffect::SetDurable(bound) => self.lane.set_durable(bound),
            KeepingEffect::Stalled => self.lane.stall(),
            KeepingEffect::Close => {
                self.lane.close();
                self.lane.set_unleased(true);
                self.vitals.set_state("closed");
                self.tell_change();
            }
        }
    }

    fn lease(&self, myself: &ActorRef<LaneMessage>, request: Request) {
        let (pharaoh, myself) = (self.pharaoh.clone(), myself.clone());
        tokio::spawn(async move {
            let outcome = match pharaoh.ask(request).await {
                Ok(Answer::Lane(grant)) => Ok(grant),
                Ok(other) => Err(Pharaoh::unexpected(&other)),
                Err(error) => Err(error),
            };
            let at = pharaoh.shared().clock.monotonic();
            let _ = myself.cast(LaneMessage::Keep(Keep::Leased(outcome, at)));
        });
    }

    fn raise(&self, myself: &ActorRef<LaneMessage>, bound: LogicalClock) {
        let (file, health) = (Arc::clone(&self.file), self.health.clone());
        let raised = self.worker.run(move || {
            let mut file = file.lock().expect("the worker's thread alone uses it");
            file.raise(bound.0).map_err(|error| {
                let full = matches!(error, CounterError::DiskFull { .. });
                if !full {
                    health.fail(&format!("the bound of ids: {error}"));
                }
                full
            })
        });
        let myself = myself.clone();
        tokio::spawn(async move {
            let input = match raised.await {
                Some(Ok(())) => KeepingInput::Raised,
                Some(Err(true)) | None => KeepingInput::NotRaised,
                Some(Err(false)) => KeepingInput::RaiseFailed,
            };
            let _ = myself.cast(LaneMessage::Keep(Keep::Input(input)));
        });
    }

    /// The alarm is set anew after every message, so that there is one at a time.
    fn set_alarm(&mut self, myself: &ActorRef<LaneMessage>, now: Monotonic) {
        if let Some(alarm) = self.alarm.take() {
            alarm.abort();
        }
        self.alarm = self.keeping.wake_at().map(|at| {
            let myself = myself.clone();
            let wait = self.pharaoh.jittered(at.since(now)).max(at.since(now));
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                let _ = myself.cast(LaneMessage::Keep(Keep::Input(KeepingInput::Tick)));
            })
        });
    }

    /// Best effort: a lease that is not given back runs out.
    async fn release(&mut self) {
        let (Some(used), Some((node, incarnation))) = (self.lane.close(), self.member) else {
            return;
        };
        let Used { lane, granted_to, used_to } = used;
        let request = Request::ReleaseLane { node, incarnation, lane, granted_to, used_to };
        if let Err(error) = self.pharaoh.ask_within(request, RELEASE_PATIENCE).await {
            tracing::debug!(%error, "the lane was not given back; its lease runs out");
        }
    }

    fn tell_change(&self) {
        self.pharaoh.shared().changed.send_modify(|changes| *changes += 1);
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let lane = self.lane.state();
        let number = lane.lane.map_or("none".to_owned(), |lane| lane.to_string());
        self.vitals.set_detail("lane", number);
        self.vitals.set_detail("lease_remaining_ms", lane.remaining_ms.to_string());
        self.vitals.set_detail("ids_issued", lane.issued.to_string());
        self.vitals.set_detail("claims_refused", lane.refused.to_string());
        self.vitals.set_detail("raises", lane.raises.to_string());
        let _ = reply.send(self.vitals.snapshot());
    }
}

impl Drop for LaneActorState {
    fn drop(&mut self) {
        for task in self.listeners.drain(..).chain(self.alarm.take()) {
            task.abort();
        }
        // Without its keeper a lane must not issue.
        self.lane.close();
    }
}

fn open(
    disk: &Arc<dyn Disk>,
    path: &Path,
    store: StoreId,
) -> Result<BoundFile, ActorProcessingErr> {
    if let Some(dir) = path.parent() {
        disk.create_dir_all(dir)?;
        disk.sync_dir(dir.parent().unwrap_or(dir))?;
    }
    Ok(BoundFile::open(disk, path, store)?)
}

fn tell_of_membership(pharaoh: &Pharaoh, myself: ActorRef<LaneMessage>) -> JoinHandle<()> {
    let mut membership = pharaoh.watch_membership();
    tokio::spawn(async move {
        loop {
            let present = *membership.borrow_and_update();
            if let Some(present) = present {
                let (node, incarnation) = (present.node, present.incarnation);
                let joined = KeepingInput::Joined { node, incarnation };
                if myself.cast(LaneMessage::Keep(Keep::Input(joined))).is_err() {
                    return;
                }
            }
            if membership.changed().await.is_err() {
                return;
            }
        }
    })
}

fn tell_of_wishes(lane: &LaneHandle, myself: ActorRef<LaneMessage>) -> JoinHandle<()> {
    let lane = lane.clone();
    tokio::spawn(async move {
        loop {
            let latest = lane.wanted().await;
            let wanted = KeepingInput::Wanted { latest };
            if myself.cast(LaneMessage::Keep(Keep::Input(wanted))).is_err() {
                return;
            }
        }
    })
}
