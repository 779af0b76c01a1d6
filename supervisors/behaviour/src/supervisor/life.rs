//! One life of one child, attended by a task from before its start until
//! nothing of it is left.
//!
//! The end of an actor is heard in two ways. Its event comes early, while its
//! state may still be alive, and carries the state of one that stopped in order.
//! Its join handle resolves after the state has been dropped or sent off in the
//! event. Only when both have passed, and for a supervisor also everybody below
//! it, may a successor open the same files.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorRef, ActorStatus, SpawnErr};
use tokio::sync::{oneshot, watch};

use super::{News, Shared, Supervisor, SupervisorArguments, SupervisorMessage};
use crate::board::Board;
use crate::household::{Doorway, Household};
use crate::spec::{Ask, Start, Started};
use crate::{ChildContext, ChildSpec};

/// How far a life has come.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    Unborn,
    Alive(ActorCell),
    Ended,
}

/// The supervisor's hold on a life.
pub(super) struct Life {
    /// Dropped to call off a start; of no effect afterwards.
    pub(super) leash: Option<oneshot::Sender<()>>,
    pub(super) stage: watch::Receiver<Stage>,
}

/// Everything a life needs to begin.
pub(super) struct Birth {
    pub(super) spec: ChildSpec,
    pub(super) context: ChildContext,
    pub(super) shared: Shared,
    pub(super) household: Household,
    /// The board of a child that is a supervisor.
    pub(super) below: Option<Arc<Board>>,
    pub(super) supervisor: ActorRef<SupervisorMessage>,
    /// Who waits for the start, when it is not the supervisor's mailbox.
    pub(super) asker: Option<oneshot::Sender<Result<(ActorCell, Ask), String>>>,
}

pub(super) fn begin(birth: Birth) -> Life {
    let (leash, called_off) = oneshot::channel();
    let (stage, watched) = watch::channel(Stage::Unborn);
    tokio::spawn(live(birth, called_off, stage));
    Life { leash: Some(leash), stage: watched }
}

async fn live(mut birth: Birth, called_off: oneshot::Receiver<()>, stage: watch::Sender<Stage>) {
    let (inner, remains) = birth.household.nested();
    let start = start(&birth, inner.doorway());
    let born = tokio::select! {
        biased;
        _ = called_off => Err("called off".to_owned()),
        born = start => born,
    };
    match born {
        Ok(Started { cell, join, ask }) => {
            stage.send_replace(Stage::Alive(cell.clone()));
            birth.announce(Ok((cell, ask)));
            // Joining cannot fail but by the runtime going away.
            let _ = join.await;
            drop(inner);
            remains.gone().await;
            stage.send_replace(Stage::Ended);
            birth.tell(|place, generation| News::Ended { place, generation });
        }
        Err(reason) => {
            drop(inner);
            remains.gone().await;
            stage.send_replace(Stage::Ended);
            birth.announce(Err(reason));
        }
    }
}

/// Spawns the child; a panic of its `start` counts as a failure like any other.
fn start(birth: &Birth, doorway: Doorway) -> BoxFuture<'static, Result<Started, String>> {
    let (start, context) = (birth.spec.start.clone(), birth.context.clone());
    let (shared, below) = (birth.shared.clone(), birth.below.clone());
    let supervisor = birth.supervisor.get_cell();
    let started = async move {
        match (start, below) {
            (Start::Worker(start), _) => start(context).await,
            (Start::Supervisor(spec), below) => {
                let board = below.unwrap_or_else(|| Board::root(context.path()));
                let (spec, vitals) = (spec(context.clone()), context.vitals());
                let arguments = SupervisorArguments { spec, board, doorway, vitals, shared };
                spawn_supervisor(arguments, context.supervisor()).await
            }
        }
    };
    let guarded = AssertUnwindSafe(started).catch_unwind();
    async move {
        match guarded.await {
            Ok(Ok(started)) => linked(started, supervisor).await,
            Ok(Err(error)) => Err(reason_of(error)),
            Err(panic) => Err(format!("panicked while starting: {}", panic_text(&*panic))),
        }
    }
    .boxed()
}

// A function of its own, boxed, because a supervisor that starts supervisors
// is a future that would contain itself.
fn spawn_supervisor(
    arguments: SupervisorArguments,
    parent: ActorCell,
) -> BoxFuture<'static, Result<Started, SpawnErr>> {
    Box::pin(async move {
        Actor::spawn_linked(None, Supervisor, arguments, parent).await.map(Started::new)
    })
}

/// An actor that is not linked would neither be heard nor die with its
/// supervisor, so a `start` that forgot it is helped, or refused.
async fn linked(started: Started, supervisor: ActorCell) -> Result<Started, String> {
    let is_linked = |cell: &ActorCell| cell.try_get_supervisor().as_ref() == Some(&supervisor);
    let is_alive = |cell: &ActorCell| cell.get_status() < ActorStatus::Draining;
    if is_alive(&started.cell) && !is_linked(&started.cell) {
        started.cell.link(supervisor.clone());
    }
    if is_alive(&started.cell) && !is_linked(&started.cell) {
        started.cell.kill();
        let _ = started.join.await;
        return Err("its supervisor is stopping".to_owned());
    }
    Ok(started)
}

fn reason_of(error: SpawnErr) -> String {
    match error {
        SpawnErr::StartupFailed(reason) => reason.to_string(),
        other => other.to_string(),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}

impl Birth {
    fn announce(&mut self, born: Result<(ActorCell, Ask), String>) {
        if let Some(asker) = self.asker.take() {
            let _ = asker.send(born);
            return;
        }
        self.tell(|place, generation| match born {
            Ok((cell, ask)) => News::Started { place, generation, cell, ask },
            Err(reason) => News::StartFailed { place, generation, reason },
        });
    }

    // A supervisor that is gone needs no news.
    fn tell(&self, news: impl FnOnce(u64, u64) -> News) {
        let news = news(self.context.place, self.context.generation);
        let _ = self.supervisor.send_message(news.into());
    }
}

impl Life {
    /// Ends it: calls off its start or stops it, and kills it when it takes
    /// longer than its patience. The future resolves when it has ended.
    pub(super) fn lay_down(&mut self, spec: &ChildSpec) -> impl Future<Output = ()> + use<> {
        self.leash = None;
        let (mut stage, patience) = (self.stage.clone(), spec.patience);
        let (drain, is_supervisor) = (spec.drain, spec.is_supervisor());
        async move {
            let in_order = async {
                let now = stage.wait_for(|stage| !matches!(stage, Stage::Unborn)).await;
                if let Ok(Stage::Alive(cell)) = now.map(|stage| stage.clone()) {
                    ask_to_stop(&cell, is_supervisor, drain);
                }
                ended(&mut stage).await;
            };
            if tokio::time::timeout(patience, in_order).await.is_ok() {
                return;
            }
            if let Stage::Alive(cell) = &*stage.borrow() {
                cell.kill();
            }
            ended(&mut stage).await;
        }
    }
}

// It fails only when the actor has stopped already, which is what we want.
fn ask_to_stop(cell: &ActorCell, is_supervisor: bool, drain: bool) {
    if is_supervisor {
        let _ = cell.send_message(SupervisorMessage::from(News::Close));
    } else if drain {
        let _ = cell.drain();
    } else {
        cell.stop(None);
    }
}

async fn ended(stage: &mut watch::Receiver<Stage>) {
    // The sender gone without a word means that the runtime is going down.
    let _ = stage.wait_for(|stage| matches!(stage, Stage::Ended)).await;
}
