//! The actor of a link that a peer dialled.

use crate::attending::Attendance;
use crate::door::Place;
use crate::link::Link;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What a guest is told.
#[derive(RactorMessage)]
pub(crate) enum GuestMessage {
    /// Describe yourself.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for GuestMessage {
    fn from(observe: Observe) -> GuestMessage {
        GuestMessage::Observe(observe.0)
    }
}

/// What a guest starts with.
pub(crate) struct GuestArguments {
    pub attendance: Attendance,
    /// Given back when the session is ready.
    pub place: Place,
    pub vitals: Vitals,
}

/// The actor.
pub(crate) struct Guest;

/// What it keeps.
pub(crate) struct GuestState {
    link: Arc<Link>,
    attending: JoinHandle<()>,
    vitals: Vitals,
}

impl Drop for GuestState {
    fn drop(&mut self) {
        self.attending.abort();
    }
}

impl Actor for Guest {
    type Msg = GuestMessage;
    type State = GuestState;
    type Arguments = GuestArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<GuestMessage>,
        arguments: GuestArguments,
    ) -> Result<GuestState, ActorProcessingErr> {
        let GuestArguments { attendance, place, vitals } = arguments;
        let link = attendance.link.clone();
        let attending = tokio::spawn(async move {
            let _farewell = Farewell(myself);
            if attendance.opened().await {
                drop(place);
                let identity = attendance.link.identity();
                tracing::info!(store = %identity.store, address = %identity.address, "a node linked itself");
                attendance.attend().await;
                tracing::info!(store = %identity.store, address = %identity.address, "the link ended");
            }
        });
        Ok(GuestState { link, attending, vitals })
    }

    async fn handle(
        &self,
        _: ActorRef<GuestMessage>,
        message: GuestMessage,
        state: &mut GuestState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            GuestMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }
}

impl GuestState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        describe(&self.link, &self.vitals);
        // Whoever asked may have stopped waiting.
        let _ = reply.send(self.vitals.snapshot());
    }
}

/// Sets the details of a link.
pub(crate) fn describe(link: &Link, vitals: &Vitals) {
    let identity = link.identity();
    let node = identity.node.map_or("not known".to_owned(), |node| node.0.to_string());
    let rtt = link.rtt().map_or("not known".to_owned(), |rtt| rtt.as_micros().to_string());
    vitals.set_detail("peer", identity.address.to_string());
    vitals.set_detail("store", identity.store.to_string());
    vitals.set_detail("node", node);
    vitals.set_detail("link", format!("{:?}", link.pulse.standing()).to_lowercase());
    vitals.set_detail("rtt_us", rtt);
    vitals.set_detail("calls in flight", link.calls_in_flight().to_string());
}

/// Stops the actor when the link has ended, however the task came to its end.
struct Farewell(ActorRef<GuestMessage>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.stop(None);
    }
}
