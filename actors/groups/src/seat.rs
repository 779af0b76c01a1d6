//! Where the coordinator of a partition is found. A seat outlives those who sit on it.

use crate::coordinator::{Ask, CoordinatorMessage};
use crate::machine::{Reply, Request};
use crate::protocol::GroupError;
use pyralog_model::{ApiError, ErrorCode};
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};

/// For what is answered at once, or when it is durable. Whoever joins or syncs waits
/// for others, and the machine says how long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who sits there.
#[derive(Debug, Clone)]
pub(crate) enum Sitting {
    /// Nobody: the actor is starting again, or the node stops.
    Nobody,
    /// One who still reads the log.
    Loading,
    /// One who answers.
    Serving(ActorRef<CoordinatorMessage>),
}

/// One coordinator's seat.
#[derive(Debug)]
pub(crate) struct Seat {
    sitting: watch::Sender<Sitting>,
    requests: Arc<Semaphore>,
    /// Whoever appends holds it until that is decided, even if its actor is gone: the
    /// next one reads the log after that.
    pub(crate) pen: Arc<tokio::sync::Mutex<()>>,
}

impl Seat {
    pub(crate) fn new(requests_max: usize) -> Seat {
        Seat {
            sitting: watch::Sender::new(Sitting::Nobody),
            requests: Arc::new(Semaphore::new(requests_max)),
            pen: Arc::default(),
        }
    }

    pub(crate) fn take(&self, sitting: Sitting) {
        self.sitting.send_replace(sitting);
    }

    /// Returns when somebody answers here.
    pub(crate) async fn serving(&self, patience: Duration) -> Result<(), GroupError> {
        let mut changes = self.sitting.subscribe();
        let serving = changes.wait_for(|sitting| matches!(sitting, Sitting::Serving(_)));
        match tokio::time::timeout(patience, serving).await {
            Ok(Ok(_)) => Ok(()),
            // The sender lives as long as this seat.
            Ok(Err(_)) | Err(_) => Err(GroupError::Loading),
        }
    }

    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, GroupError> {
        let actor = match &*self.sitting.borrow() {
            Sitting::Nobody => return Err(away()),
            Sitting::Loading => return Err(GroupError::Loading),
            Sitting::Serving(actor) => actor.clone(),
        };
        let Ok(permit) = Arc::clone(&self.requests).try_acquire_owned() else {
            return Err(overloaded());
        };
        let waits_for_others = matches!(request, Request::Join(_) | Request::Sync(_));
        let (reply, answer) = oneshot::channel();
        let ask = Ask { request, reply, _permit: permit };
        actor.cast(CoordinatorMessage::Ask(ask)).map_err(|_| away())?;
        if waits_for_others {
            return answer.await.map_err(|_| away())?;
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|_| away())?,
            Err(_) => Err(away()),
        }
    }
}

pub(crate) fn away() -> GroupError {
    GroupError::Unavailable(ApiError::unavailable("the group coordinator"))
}

pub(crate) fn overloaded() -> GroupError {
    let message = "the group coordinator has too much to do; send it again, more slowly";
    GroupError::Unavailable(ApiError::new(ErrorCode::Overloaded, message))
}
