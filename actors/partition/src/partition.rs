//! The actor of a partition: it opens the partition's log in the store, which
//! fences whoever had it before, puts a gate into the routes, and takes it out
//! when it goes, however it goes.

use crate::gate::Gate;
use crate::routes::Routes;
use crate::services::{EpochLabels, PartitionServices};
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_log::{Completion, Submission};
use pyralog_model::{LogName, PartitionId};
use pyralog_pharaoh::DirectoryHub;
use pyralog_store::StoreHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often idle sessions are looked for: eight times before one is forgotten,
/// within these bounds.
const LOOKS_MIN: Duration = Duration::from_millis(10);
const LOOKS_MAX: Duration = Duration::from_secs(600);

/// The waits between attempts to get a label.
const LABEL_PAUSE_MIN: Duration = Duration::from_millis(200);
const LABEL_PAUSE_MAX: Duration = Duration::from_secs(60);

/// What a partition answers.
#[derive(RactorMessage)]
pub enum PartitionMessage {
    /// It is time to look for producers' sessions that are idle.
    ForgetIdle,
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for PartitionMessage {
    fn from(Observe(reply): Observe) -> PartitionMessage {
        PartitionMessage::Observe(reply)
    }
}

/// What a partition needs.
#[derive(Clone)]
pub struct PartitionArguments {
    /// Which one it is.
    pub id: PartitionId,
    /// The name of its log, for people.
    pub log_name: LogName,
    /// Where its log's settings are found.
    pub hub: DirectoryHub,
    /// The store that keeps it.
    pub store: StoreHandle,
    /// Where its gate is found.
    pub routes: Routes,
    /// What it asks of the rest of the node.
    pub services: PartitionServices,
    /// The counters that the supervisor reads.
    pub vitals: Vitals,
}

/// The actor.
pub struct Partition;

/// What it holds.
pub struct PartitionState {
    id: PartitionId,
    gate: Arc<Gate>,
    routes: Routes,
    looks: Duration,
    labelling: Option<JoinHandle<()>>,
    vitals: Vitals,
}

impl Actor for Partition {
    type Msg = PartitionMessage;
    type State = PartitionState;
    type Arguments = PartitionArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PartitionMessage>,
        arguments: PartitionArguments,
    ) -> Result<PartitionState, ActorProcessingErr> {
        let PartitionArguments { id, log_name, hub, store, routes, mut services, vitals } =
            arguments;
        vitals.set_detail("log", log_name.as_str());
        let durability = hub.directory().log_by_number(id.log).map(|log| log.settings.durability);
        let durability = durability.ok_or("the log of this partition is not in the directory")?;
        let log = store.create_partition(id, durability).await?;
        let opened = match store.submit(Submission::Open(Arc::clone(&log))).await? {
            Completion::Opened(opened) => opened,
            Completion::Refused(error) => return Err(error.into()),
            other => return Err(format!("an Open was answered by {other:?}").into()),
        };
        let labels = services.labels.take();
        let looks = (services.producer_id_expiration / 8).clamp(LOOKS_MIN, LOOKS_MAX);
        let gate = Arc::new(Gate::new(log_name, log, store, opened, services));
        gate.follow(&hub.directory());
        routes.insert(id, Arc::clone(&gate));
        // What changed since was told to whoever was in the routes then.
        gate.follow(&hub.directory());
        myself.send_after(looks, || PartitionMessage::ForgetIdle);
        let labelling = labels.map(|labels| label(labels, id, Arc::clone(&gate)));
        Ok(PartitionState { id, gate, routes, looks, labelling, vitals })
    }

    async fn handle(
        &self,
        myself: ActorRef<PartitionMessage>,
        message: PartitionMessage,
        state: &mut PartitionState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            PartitionMessage::ForgetIdle => Self::forget_idle(&myself, state),
            PartitionMessage::Observe(reply) => Self::observe(reply, state),
        }
        Ok(())
    }
}

impl Partition {
    fn forget_idle(myself: &ActorRef<PartitionMessage>, state: &PartitionState) {
        state.gate.forget_idle_sessions();
        myself.send_after(state.looks, || PartitionMessage::ForgetIdle);
    }

    fn observe(reply: RpcReplyPort<Snapshot>, state: &PartitionState) {
        let marks = state.gate.watermarks();
        let detail = |name, value: String| state.vitals.set_detail(name, value);
        detail("log_start", marks.log_start.to_string());
        detail("high_watermark", marks.high.to_string());
        detail("epoch", marks.epoch.to_string());
        detail("durability", state.gate.log.durability().to_string());
        detail("sessions", state.gate.log.sessions().to_string());
        if let Some(label) = state.gate.epoch_label() {
            detail("epoch_label", label.to_string());
        }
        detail("bytes_in_flight", state.gate.bytes_in_flight().to_string());
        let _ = reply.send(state.vitals.snapshot());
    }
}

impl Drop for PartitionState {
    /// A kill runs no `post_stop`, but it drops the state.
    fn drop(&mut self) {
        self.routes.remove(self.id, &self.gate);
        if let Some(labelling) = &self.labelling {
            labelling.abort();
        }
    }
}

/// Asks for a label of the leadership that has begun, again and again while nobody
/// answers. It is for people, and comes when it comes.
fn label(labels: Arc<dyn EpochLabels>, id: PartitionId, gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (epoch, mut pause) = (gate.watermarks().epoch, LABEL_PAUSE_MIN);
        loop {
            if let Some(label) = labels.label(id, epoch).await {
                return gate.set_epoch_label(label);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LABEL_PAUSE_MAX);
        }
    })
}
