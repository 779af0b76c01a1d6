//! The one who starts and stops partitions: it makes what runs agree with what
//! the directory says, at its own start and after every change.
//!
//! It does nothing before the directory lists this node: until then the copy is
//! empty. It removes files only of logs that the directory has *deleted*: numbers
//! below its next one that it does not list. A store with numbers that the
//! directory never gave out has a younger directory, or another one: nothing is
//! started or removed until the right one is here.

use crate::partition::{Partition, PartitionArguments};
use crate::routes::Routes;
use crate::services::PartitionServices;
use pyralog_behaviour::{ChildSpec, Observe, Snapshot, StartChildError, SupervisorMessage, Vitals};
use pyralog_directory::Directory;
use pyralog_model::{LogName, LogNumber, NodeNumber, PartitionId, StoreId};
use pyralog_pharaoh::DirectoryHub;
use pyralog_store::StoreHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call_t};
use ractor_cluster_derive::RactorMessage;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Starting one partition may wait for a slow disk.
const START_PATIENCE_MS: u64 = 30_000;
/// How long to leave a partition alone that could not be started.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// A partition that fails so often in a row is parked, and no other suffers.
const QUARANTINE_AFTER: u32 = 20;

/// What the reconciler answers.
#[derive(RactorMessage)]
pub enum ReconcilerMessage {
    /// The directory has changed, or it is time to try again.
    Reconcile,
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for ReconcilerMessage {
    fn from(Observe(reply): Observe) -> ReconcilerMessage {
        ReconcilerMessage::Observe(reply)
    }
}

/// What the reconciler needs.
#[derive(Clone)]
pub struct ReconcilerArguments {
    /// The wish.
    pub hub: DirectoryHub,
    /// This node, by its data directory.
    pub node: StoreId,
    /// Where partitions are started.
    pub partitions: ActorRef<SupervisorMessage>,
    /// The store that keeps them.
    pub store: StoreHandle,
    /// Where their gates are found.
    pub routes: Routes,
    /// What partitions ask of the rest of the node.
    pub services: PartitionServices,
    /// The counters that the supervisor reads.
    pub vitals: Vitals,
}

/// The actor.
pub struct Reconciler;

/// What it holds.
pub struct ReconcilerState {
    arguments: ReconcilerArguments,
    running: BTreeSet<PartitionId>,
    watcher: JoinHandle<()>,
}

impl Actor for Reconciler {
    type Msg = ReconcilerMessage;
    type State = ReconcilerState;
    type Arguments = ReconcilerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ReconcilerMessage>,
        arguments: ReconcilerArguments,
    ) -> Result<ReconcilerState, ActorProcessingErr> {
        let mut changes = arguments.hub.watch();
        let this = myself.clone();
        arguments.routes.set_store(arguments.store.clone());
        let watcher = tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                if myself.cast(ReconcilerMessage::Reconcile).is_err() {
                    return;
                }
            }
        });
        let mut state = ReconcilerState { arguments, running: BTreeSet::new(), watcher };
        state.reconcile(&this).await?;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<ReconcilerMessage>,
        message: ReconcilerMessage,
        state: &mut ReconcilerState,
    ) -> Result<(), ActorProcessingErr> {
        state.arguments.vitals.handled();
        match message {
            ReconcilerMessage::Reconcile => state.reconcile(&myself).await,
            ReconcilerMessage::Observe(reply) => state.observe(reply),
        }
    }
}

impl ReconcilerState {
    /// This node's number, if the directory is one that can be acted upon.
    fn ready_for(&self, directory: &Directory) -> Option<NodeNumber> {
        let node = directory.nodes().find(|node| node.store == self.arguments.node)?.number;
        let next = directory.next_log_number();
        let stored = self.arguments.store.partition_ids();
        let Some(unknown) = stored.iter().find(|id| id.log >= next) else { return Some(node) };
        let what = format!(
            "the store has log {} but the directory has only given out numbers below {}: it is \
             missing or older than the data; if it stays so, put directory.redb back",
            unknown.log.0, next.0
        );
        tracing::error!("{what}");
        self.arguments.vitals.failed(&what);
        None
    }

    /// One partition that cannot be started is a state, not a failure: the others
    /// serve, and it is tried again.
    async fn reconcile(
        &mut self,
        myself: &ActorRef<ReconcilerMessage>,
    ) -> Result<(), ActorProcessingErr> {
        let directory = self.arguments.hub.directory();
        let Some(node) = self.ready_for(&directory) else { return Ok(()) };
        let mut waiting = 0;
        for wanted in wanted(&directory, node) {
            if !self.running.contains(&wanted.id) && !self.start(wanted).await? {
                waiting += 1;
            }
        }
        self.arguments.routes.for_each(|gate| gate.follow(&directory));
        self.arguments.vitals.set_detail("partitions_waiting", waiting.to_string());
        if waiting > 0 {
            myself.send_after(RETRY_AFTER, || ReconcilerMessage::Reconcile);
        }
        let listed: BTreeSet<LogNumber> = directory.logs().map(|log| log.number).collect();
        let stored = self.arguments.store.partition_ids();
        let gone: BTreeSet<LogNumber> =
            stored.iter().map(|id| id.log).filter(|log| !listed.contains(log)).collect();
        for log in gone {
            self.remove(log).await?;
        }
        Ok(())
    }

    /// True if it runs.
    async fn start(&mut self, wanted: Wanted) -> Result<bool, ActorProcessingErr> {
        let Wanted { id, log_name } = wanted;
        let hub = self.arguments.hub.clone();
        let (store, routes) = (self.arguments.store.clone(), self.arguments.routes.clone());
        let services = self.arguments.services.clone();
        let spec = ChildSpec::new(id.to_string().replace('/', "-"), "partition", move |context| {
            let arguments = PartitionArguments {
                id,
                log_name: log_name.clone(),
                hub: hub.clone(),
                store: store.clone(),
                routes: routes.clone(),
                services: services.clone(),
                vitals: context.vitals(),
            };
            Actor::spawn_linked(None, Partition, arguments, context.supervisor())
        })
        .quarantine_after(QUARANTINE_AFTER);
        let partitions = &self.arguments.partitions;
        match call_t!(partitions, SupervisorMessage::StartChild, START_PATIENCE_MS, spec)? {
            // It runs already when this reconciler is not the first one.
            Ok(_) | Err(StartChildError::Taken { .. }) => {
                self.running.insert(id);
                Ok(true)
            }
            Err(error) => {
                self.arguments.vitals.failed(&error.to_string());
                tracing::warn!(partition = %id, %error, "not started; it is tried again");
                Ok(false)
            }
        }
    }

    async fn remove(&mut self, log: LogNumber) -> Result<(), ActorProcessingErr> {
        let ids: Vec<_> = self.arguments.store.partition_ids();
        for id in ids.into_iter().filter(|id| id.log == log) {
            let child = id.to_string().replace('/', "-");
            let partitions = &self.arguments.partitions;
            call_t!(partitions, SupervisorMessage::StopChild, START_PATIENCE_MS, child)?;
            self.running.remove(&id);
        }
        // A disk that refuses to forget is not worth a restart: the next start
        // tries again.
        if let Err(error) = self.arguments.store.delete_log(log).await {
            self.arguments.vitals.failed(&error.to_string());
            tracing::warn!(log = log.0, %error, "the files of a deleted log stay for now");
        }
        Ok(())
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) -> Result<(), ActorProcessingErr> {
        self.arguments.vitals.set_detail("partitions", self.running.len().to_string());
        let _ = reply.send(self.arguments.vitals.snapshot());
        Ok(())
    }
}

impl Drop for ReconcilerState {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

struct Wanted {
    id: PartitionId,
    log_name: LogName,
}

fn wanted(directory: &Directory, node: NodeNumber) -> Vec<Wanted> {
    let one = |id: PartitionId| {
        let log = directory.log_by_number(id.log)?;
        Some(Wanted { id, log_name: log.name.clone() })
    };
    directory.partitions_of(node).filter_map(|(id, _)| one(id)).collect()
}
