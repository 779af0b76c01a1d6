//! Where the present incarnation of an actor sits. A seat outlives those who sit
//! in it; while it is empty, whoever calls is told to try again.

use pyralog_model::{ApiError, ErrorCode};
use ractor::rpc::CallResult;
use ractor::{ActorRef, Message, RpcReplyPort};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an actor may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Clones are the same seat.
pub(crate) struct Seat<M> {
    what: &'static str,
    actor: Arc<Mutex<Option<ActorRef<M>>>>,
}

impl<M: Message> Seat<M> {
    /// An empty seat. `what` is how people call it: `the directory`.
    pub(crate) fn new(what: &'static str) -> Seat<M> {
        Seat { what, actor: Arc::default() }
    }

    pub(crate) fn take(&self, actor: ActorRef<M>) {
        *self.lock() = Some(actor);
    }

    /// Calls the actor that sits here. An answer that does not come in time may
    /// still have been acted upon.
    pub(crate) async fn call<T, F>(&self, message: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(RpcReplyPort<Result<T, ApiError>>) -> M,
    {
        let actor = self.lock().clone().ok_or_else(|| ApiError::unavailable(self.what))?;
        match actor.call(message, Some(PATIENCE)).await {
            Ok(CallResult::Success(answer)) => answer,
            Ok(CallResult::Timeout) => {
                let message =
                    format!("{} did not answer in time; it may or may not be done", self.what);
                Err(ApiError::new(ErrorCode::Timeout, message))
            }
            Ok(CallResult::SenderError) | Err(_) => Err(ApiError::unavailable(self.what)),
        }
    }

    /// Tells the actor that sits here, if any does.
    pub(crate) fn tell(&self, message: M) {
        if let Some(actor) = self.lock().as_ref() {
            let _ = actor.cast(message);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<ActorRef<M>>> {
        self.actor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Clone for Seat<M> {
    fn clone(&self) -> Seat<M> {
        Seat { what: self.what, actor: Arc::clone(&self.actor) }
    }
}

impl<M> fmt::Debug for Seat<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("what", &self.what).finish_non_exhaustive()
    }
}
