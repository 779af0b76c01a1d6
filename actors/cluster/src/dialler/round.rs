//! Round after round: an attempt, the link while it stands, a pause.

use super::attempt::attempt;
use super::pause::pause;
use crate::attending::Attendance;
use crate::handshake::ShakeError;
use crate::link::Link;
use crate::links::Shared;
use crate::peer::{Peer, PeerState};
use crate::pulse::Standing;
use crate::{PeerIdentity, Refusal};
use pyralog_behaviour::Vitals;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// A link that stood for so long was a good one: the pauses begin anew.
const GOOD: Duration = Duration::from_secs(5);

pub(super) struct Rounds {
    shared: Arc<Shared>,
    peer: Peer,
    vitals: Vitals,
    attempt: u32,
    last_error: Option<String>,
    /// What was logged last: the same again is no news.
    told: Option<String>,
}

/// The peer has no link when the dialler is gone, however it went.
impl Drop for Rounds {
    fn drop(&mut self) {
        self.peer.set_link(None);
        self.peer.set_state(PeerState::Connecting { attempt: 0, last_error: None });
    }
}

impl Rounds {
    pub(super) fn new(shared: Arc<Shared>, peer: Peer, vitals: Vitals) -> Rounds {
        Rounds { shared, peer, vitals, attempt: 0, last_error: None, told: None }
    }

    /// Dials for ever.
    pub(super) async fn run(mut self) {
        loop {
            self.attempt = self.attempt.saturating_add(1);
            self.vitals.handled();
            if !matches!(self.peer.state(), PeerState::Refused { .. }) {
                self.connecting();
            }
            match attempt(&self.shared, self.peer.endpoint()).await {
                Ok((attendance, stream)) => self.own(attendance, stream).await,
                Err(ShakeError::AlreadyLinked(identity)) => self.lean(*identity).await,
                Err(error) => self.failed(error),
            }
            tokio::time::sleep(pause(self.attempt, &*self.shared.entropy)).await;
        }
    }

    /// Looks after a link of its own until it has ended.
    async fn own(&mut self, attendance: Attendance, stream: TcpStream) {
        let link = attendance.link.clone();
        self.shared.hand_over(&link, stream);
        if !attendance.opened().await {
            return self.hiccup("the session did not open");
        }
        tokio::select! {
            () = attendance.attend() => (),
            () = self.mirror(&link) => (),
        }
        self.ended(&link);
    }

    /// The peer dialled us: its link serves as well, and its guest attends it.
    async fn lean(&mut self, identity: PeerIdentity) {
        let Some(link) = self.shared.table.find(identity.store, identity.boot) else {
            return self.hiccup("the peer has not noticed yet that the last link ended");
        };
        self.mirror(&link).await;
        self.ended(&link);
    }

    /// Shows the standing of the link as the state of the peer until it ends.
    async fn mirror(&mut self, link: &Arc<Link>) {
        let mut standing = link.pulse.watch();
        loop {
            let identity = link.identity();
            let now = *standing.borrow_and_update();
            match now {
                Standing::Opening => (),
                Standing::Up => {
                    self.peer.set_link(Some(link.clone()));
                    self.up(identity);
                }
                Standing::Silent => {
                    tracing::warn!(peer = self.peer.endpoint(), "the peer is silent");
                    self.peer.set_state(PeerState::Silent { identity });
                }
                Standing::Ended => return,
            }
            // The link holds the sender.
            let _ = standing.changed().await;
        }
    }

    fn up(&mut self, identity: PeerIdentity) {
        if !matches!(self.peer.state(), PeerState::Up { .. }) {
            let store = identity.store;
            tracing::info!(peer = self.peer.endpoint(), %store, "linked");
        }
        self.peer.set_state(PeerState::Up { identity });
        (self.last_error, self.told) = (None, None);
    }

    fn ended(&mut self, link: &Link) {
        self.peer.set_link(None);
        if self.shared.clock.monotonic().since(link.opened) >= GOOD {
            self.attempt = 0;
        }
        self.hiccup("the link ended");
    }

    fn hiccup(&mut self, what: &str) {
        self.tell(what, false);
        self.last_error = Some(what.to_owned());
        self.connecting();
    }

    fn failed(&mut self, error: ShakeError) {
        let reason = error.to_string();
        match error.refusal() {
            Some(code) if code != Refusal::TooManyConnections => {
                self.tell(&reason, !code.passes());
                self.last_error = Some(reason.clone());
                self.peer.set_state(PeerState::Refused { code, reason });
            }
            _ => self.hiccup(&reason),
        }
    }

    fn connecting(&self) {
        let (attempt, last_error) = (self.attempt, self.last_error.clone());
        self.peer.set_state(PeerState::Connecting { attempt, last_error });
    }

    fn tell(&mut self, reason: &str, warn: bool) {
        self.vitals.failed(reason);
        if self.told.as_deref() == Some(reason) {
            return;
        }
        self.told = Some(reason.to_owned());
        let peer = self.peer.endpoint();
        match warn {
            true => tracing::warn!(peer, reason, "no link"),
            false => tracing::info!(peer, reason, "no link"),
        }
    }
}
