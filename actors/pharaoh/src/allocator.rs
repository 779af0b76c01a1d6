//! The actor of one leased counter that is in use on this node: it gives out
//! values of the runs it has leased, and leases the next one in good time. It is
//! started when its counter is asked for, and leaves when nobody asks any more;
//! what it had in hand then is a gap.

mod registry;
mod stock;

pub(crate) use registry::{Registry, RegistryMessage};

use self::stock::Stock;
use crate::pharaoh::Pharaoh;
use crate::protocol::CLAIM_MAX;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_model::{ApiError, CounterNumber, ErrorCode};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::collections::VecDeque;
use std::time::Duration;

/// Takes that may wait for a lease.
const WAITING_MAX: usize = 10_000;
/// Who is not asked for so long leaves.
const IDLE_AFTER: Duration = Duration::from_secs(60);

type TakeReply = RpcReplyPort<Result<u64, ApiError>>;

/// What an allocator answers.
#[derive(RactorMessage)]
pub(crate) enum AllocatorMessage {
    /// So many values in a row: the first of them.
    Take { count: u32, reply: TakeReply },
    /// What came of a lease of so many values.
    Leased { count: u32, outcome: Result<u64, ApiError> },
    /// Is anybody still asking?
    LookIdle,
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for AllocatorMessage {
    fn from(Observe(reply): Observe) -> AllocatorMessage {
        AllocatorMessage::Observe(reply)
    }
}

#[derive(Clone)]
pub(crate) struct AllocatorArguments {
    pub(crate) counter: CounterNumber,
    pub(crate) pharaoh: Pharaoh,
    pub(crate) registry: ActorRef<RegistryMessage>,
    pub(crate) vitals: Vitals,
}

pub(crate) struct Allocator;

pub(crate) struct AllocatorState {
    arguments: AllocatorArguments,
    stock: Stock,
    waiting: VecDeque<(u32, TakeReply)>,
    /// Asked for since the last `LookIdle`.
    in_use: bool,
}

impl Actor for Allocator {
    type Msg = AllocatorMessage;
    type State = AllocatorState;
    type Arguments = AllocatorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<AllocatorMessage>,
        arguments: AllocatorArguments,
    ) -> Result<AllocatorState, ActorProcessingErr> {
        let stock = Stock::new(arguments.pharaoh.shared().clock.monotonic());
        arguments.pharaoh.shared().allocators().insert(arguments.counter, myself.clone());
        myself.send_interval(IDLE_AFTER, || AllocatorMessage::LookIdle);
        Ok(AllocatorState { arguments, stock, waiting: VecDeque::new(), in_use: true })
    }

    async fn handle(
        &self,
        myself: ActorRef<AllocatorMessage>,
        message: AllocatorMessage,
        state: &mut AllocatorState,
    ) -> Result<(), ActorProcessingErr> {
        state.arguments.vitals.handled();
        match message {
            AllocatorMessage::Take { count, reply } => state.take(&myself, count, reply),
            AllocatorMessage::Leased { count, outcome } => state.leased(&myself, count, outcome),
            AllocatorMessage::LookIdle => state.look_idle(),
            AllocatorMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }
}

impl AllocatorState {
    fn take(&mut self, myself: &ActorRef<AllocatorMessage>, count: u32, reply: TakeReply) {
        self.in_use = true;
        if self.waiting.len() >= WAITING_MAX {
            let message = format!("{WAITING_MAX} callers wait for values of this counter already");
            let _ = reply.send(Err(ApiError::new(ErrorCode::Overloaded, message)));
            return;
        }
        self.waiting.push_back((count, reply));
        self.serve(myself);
    }

    /// In the order of asking, so that a large take is not starved by small ones.
    fn serve(&mut self, myself: &ActorRef<AllocatorMessage>) {
        let now = self.arguments.pharaoh.shared().clock.monotonic();
        while let Some((count, _)) = self.waiting.front() {
            let Some(first) = self.stock.take(now, *count) else { break };
            let (_, reply) = self.waiting.pop_front().expect("there is a front");
            let _ = reply.send(Ok(first));
        }
        let waiting = self.waiting.iter().map(|(count, _)| u64::from(*count)).sum::<u64>();
        let waiting = u32::try_from(waiting).unwrap_or(CLAIM_MAX).min(CLAIM_MAX);
        if let Some(count) = self.stock.wish(waiting) {
            self.lease(myself.clone(), count);
        }
    }

    fn lease(&self, myself: ActorRef<AllocatorMessage>, count: u32) {
        let (pharaoh, counter) = (self.arguments.pharaoh.clone(), self.arguments.counter);
        tokio::spawn(async move {
            let outcome = pharaoh.claim(counter, count).await;
            // An allocator that is gone meanwhile leaves a gap.
            let _ = myself.cast(AllocatorMessage::Leased { count, outcome });
        });
    }

    /// Whoever waits is told of a refusal; the next one who asks tries again.
    fn leased(
        &mut self,
        myself: &ActorRef<AllocatorMessage>,
        count: u32,
        outcome: Result<u64, ApiError>,
    ) {
        match outcome {
            Ok(first) => {
                self.stock.leased(first, count);
                self.serve(myself);
            }
            Err(error) => {
                self.stock.refused();
                self.arguments.vitals.failed(&error.message);
                for (_, reply) in self.waiting.drain(..) {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn look_idle(&mut self) {
        if !std::mem::take(&mut self.in_use) && self.waiting.is_empty() {
            let counter = self.arguments.counter;
            let _ = self.arguments.registry.cast(RegistryMessage::Passivate(counter));
        }
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let vitals = &self.arguments.vitals;
        vitals.set_detail("values_left", self.stock.left().to_string());
        vitals.set_detail("lease_values", self.stock.lease().to_string());
        vitals.set_detail("waiting", self.waiting.len().to_string());
        let _ = reply.send(vitals.snapshot());
    }
}
