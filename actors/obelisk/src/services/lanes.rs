//! Grants lanes: it stamps each lease with the Obelisk's time, and lets the
//! directory decide.

use crate::directory::DirectoryMessage;
use crate::seat::Seat;
use crate::steady::Steady;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_directory::{Command, Outcome};
use pyralog_model::{ApiError, Incarnation, Lane, LogicalClock, NodeNumber};
use pyralog_pharaoh::{DirectoryHub, LaneGrant};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;

type Reply<T> = RpcReplyPort<Result<T, ApiError>>;

/// What the service answers.
#[derive(RactorMessage)]
pub(crate) enum LanesMessage {
    /// Leases a lane, or prolongs a lease.
    Lease {
        node: NodeNumber,
        incarnation: Incarnation,
        floor: LogicalClock,
        reply: Reply<LaneGrant>,
    },
    /// Takes a lane back.
    Release {
        node: NodeNumber,
        incarnation: Incarnation,
        lane: Lane,
        granted_to: LogicalClock,
        used_to: LogicalClock,
        reply: Reply<()>,
    },
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for LanesMessage {
    fn from(Observe(reply): Observe) -> LanesMessage {
        LanesMessage::Observe(reply)
    }
}

/// What the service needs.
#[derive(Clone)]
pub(crate) struct LanesArguments {
    pub(crate) directory: Seat<DirectoryMessage>,
    pub(crate) hub: DirectoryHub,
    pub(crate) steady: Steady,
    pub(crate) term_ms: u32,
    pub(crate) seat: Seat<LanesMessage>,
    pub(crate) vitals: Vitals,
}

/// The actor.
pub(crate) struct Lanes;

/// What it holds.
pub(crate) struct LanesState {
    arguments: LanesArguments,
    leases: u64,
    releases: u64,
}

impl Actor for Lanes {
    type Msg = LanesMessage;
    type State = LanesState;
    type Arguments = LanesArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<LanesMessage>,
        arguments: LanesArguments,
    ) -> Result<LanesState, ActorProcessingErr> {
        // What an earlier process has granted by is not gone back behind.
        arguments.steady.raise_to(arguments.hub.directory().clock());
        arguments.seat.take(myself);
        Ok(LanesState { arguments, leases: 0, releases: 0 })
    }

    async fn handle(
        &self,
        _: ActorRef<LanesMessage>,
        message: LanesMessage,
        state: &mut LanesState,
    ) -> Result<(), ActorProcessingErr> {
        state.arguments.vitals.handled();
        match message {
            LanesMessage::Lease { node, incarnation, floor, reply } => {
                state.lease(node, incarnation, floor, reply);
            }
            LanesMessage::Release { node, incarnation, lane, granted_to, used_to, reply } => {
                let release = Command::ReleaseLane { node, incarnation, lane, granted_to, used_to };
                state.release(release, reply);
            }
            LanesMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }
}

impl LanesState {
    /// The directory answers in its own time; this actor does not wait for it.
    fn lease(
        &mut self,
        node: NodeNumber,
        incarnation: Incarnation,
        floor: LogicalClock,
        reply: Reply<LaneGrant>,
    ) {
        self.leases += 1;
        let (now, term_ms) = (self.arguments.steady.now(), self.arguments.term_ms);
        let command = Command::LeaseLane { node, incarnation, floor, now, term_ms };
        let directory = self.arguments.directory.clone();
        tokio::spawn(async move {
            let decide = |reply| DirectoryMessage::Decide { command, reply };
            let granted = directory.change(decide).await.map(|decided| match decided.outcome {
                Outcome::LaneLeased { lane, from, to } => LaneGrant { lane, from, to, now },
                other => unreachable!("LeaseLane was answered by {other:?}"),
            });
            let _ = reply.send(granted);
        });
    }

    fn release(&mut self, command: Command, reply: Reply<()>) {
        self.releases += 1;
        let directory = self.arguments.directory.clone();
        tokio::spawn(async move {
            let decide = |reply| DirectoryMessage::Decide { command, reply };
            let _ = reply.send(directory.change(decide).await.map(|_| ()));
        });
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let LanesArguments { hub, steady, vitals, .. } = &self.arguments;
        let leased = leased_now(hub, steady.now());
        let detail = |name, value: u64| vitals.set_detail(name, value.to_string());
        detail("lanes_leased", u64::from(leased));
        detail("leases_asked", self.leases);
        detail("releases_asked", self.releases);
        detail("clock_unix_ms", steady.now().unix_ms());
        let _ = reply.send(vitals.snapshot());
    }
}

/// How many leases run at `now`.
pub(crate) fn leased_now(hub: &DirectoryHub, now: LogicalClock) -> u32 {
    let directory = hub.directory();
    let running = directory.lanes().filter(|lane| lane.holder.is_some() && lane.to > now).count();
    u32::try_from(running).unwrap_or(u32::MAX)
}
