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

    /// Asks the actor that sits here for something that changes nothing, or nothing
    /// that matters if it is asked again.
    pub(crate) async fn call<T, F>(&self, message: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(RpcReplyPort<Result<T, ApiError>>) -> M,
    {
        match self.ask(message).await? {
            CallResult::Success(answer) => answer,
            CallResult::Timeout => Err(self.in_doubt("did not answer in time")),
            CallResult::SenderError => Err(ApiError::unavailable(self.what)),
        }
    }

    /// Asks the actor that sits here to change something. One that went without an
    /// answer may have done it before: that is another error than "not done".
    pub(crate) async fn change<T, F>(&self, message: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(RpcReplyPort<Result<T, ApiError>>) -> M,
    {
        match self.ask(message).await? {
            CallResult::Success(answer) => answer,
            CallResult::Timeout => Err(self.in_doubt("did not answer in time")),
            CallResult::SenderError => Err(self.in_doubt("was stopped while it was asked")),
        }
    }

    /// What cannot even be asked has surely not been done.
    async fn ask<T, F>(&self, message: F) -> Result<CallResult<Result<T, ApiError>>, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(RpcReplyPort<Result<T, ApiError>>) -> M,
    {
        let unavailable = || ApiError::unavailable(self.what);
        let actor = self.lock().clone().ok_or_else(unavailable)?;
        actor.call(message, Some(PATIENCE)).await.map_err(|_| unavailable())
    }

    fn in_doubt(&self, why: &str) -> ApiError {
        let message = format!("{} {why}; it may or may not be done", self.what);
        ApiError::new(ErrorCode::Timeout, message)
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

#[cfg(test)]
mod tests {
    use super::*;
    use ractor::{Actor, ActorProcessingErr};
    use ractor_cluster_derive::RactorMessage;

    #[derive(RactorMessage)]
    enum Deed {
        Ask(RpcReplyPort<Result<(), ApiError>>),
    }

    /// Acts upon what it is asked, and is gone before it has said so.
    struct Mortal;

    impl Actor for Mortal {
        type Msg = Deed;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<Deed>, _: ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle(
            &self,
            _: ActorRef<Deed>,
            Deed::Ask(reply): Deed,
            _: &mut (),
        ) -> Result<(), ActorProcessingErr> {
            drop(reply);
            Err("killed".into())
        }
    }

    #[tokio::test]
    async fn who_goes_without_an_answer_may_have_done_it() {
        let seat = Seat::new("the mortal");
        let code = |answer: Result<(), ApiError>| answer.unwrap_err().code;
        assert_eq!(code(seat.change(Deed::Ask).await), ErrorCode::Unavailable, "nobody sits");
        for is_change in [true, false] {
            let (actor, join) = Actor::spawn(None, Mortal, ()).await.unwrap();
            seat.take(actor);
            match is_change {
                true => assert_eq!(code(seat.change(Deed::Ask).await), ErrorCode::Timeout),
                false => assert_eq!(code(seat.call(Deed::Ask).await), ErrorCode::Unavailable),
            }
            join.await.unwrap();
            let gone = code(seat.change(Deed::Ask).await);
            assert_eq!(gone, ErrorCode::Unavailable, "it cannot even be asked");
        }
    }
}
