//! A member of a group.

use super::input::Caller;
use crate::protocol::{DescribedMember, JoinGroup, JoinedMember};
use crate::record::{Binary, KeptMember};
use bytes::Bytes;
use pyralog_env::Monotonic;
use std::time::Duration;

/// The shortest rebalance timeout, whatever a client says, or said before it was kept.
/// With none at all a round that waits for a static member would begin again and again
/// within one moment.
const REBALANCE_TIMEOUT_MIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Member {
    pub(super) instance: Option<String>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) session_timeout: Duration,
    /// As it was said; see [`Member::rebalance_timeout`].
    pub(super) rebalance_timeout: Duration,
    /// Assignors with what it says for each, the preferred first.
    pub(super) protocols: Vec<(String, Bytes)>,
    pub(super) assignment: Bytes,
    /// Waits for the round to be complete.
    pub(super) joining: Option<Caller>,
    /// Waits for the leader.
    pub(super) syncing: Option<Caller>,
    /// Has asked for the assignment of this generation.
    pub(super) synced: bool,
    /// Its client knows its id. A client that does not cannot come back as it.
    pub(super) told: bool,
    /// If it is silent until then it is out.
    pub(super) alive_until: Monotonic,
}

impl Member {
    pub(super) fn new(join: JoinGroup, told: bool) -> Member {
        Member {
            instance: join.instance,
            client_id: join.client_id,
            client_host: join.client_host,
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols,
            assignment: Bytes::new(),
            joining: None,
            syncing: None,
            synced: false,
            told,
            alive_until: Monotonic(0),
        }
    }

    /// What it says anew.
    pub(super) fn update(&mut self, join: JoinGroup) {
        self.client_id = join.client_id;
        self.client_host = join.client_host;
        self.session_timeout = join.session_timeout;
        self.rebalance_timeout = join.rebalance_timeout;
        self.protocols = join.protocols;
    }

    pub(super) fn is_static(&self) -> bool {
        self.instance.is_some()
    }

    /// It is at an answer's mercy and cannot send heartbeats.
    pub(super) fn waits(&self) -> bool {
        self.joining.is_some() || self.syncing.is_some()
    }

    pub(super) fn touch(&mut self, now: Monotonic) {
        self.alive_until = self.alive_until.max(now + self.session_timeout);
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    /// How long others wait for it in a rebalance.
    pub(super) fn rebalance_timeout(&self) -> Duration {
        self.rebalance_timeout.max(REBALANCE_TIMEOUT_MIN)
    }

    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| name == protocol);
        found.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }

    pub(super) fn joined(&self, member: &str, protocol: &str) -> JoinedMember {
        JoinedMember {
            member: member.to_owned(),
            instance: self.instance.clone(),
            metadata: self.metadata(protocol),
        }
    }

    /// As people are shown it; while the group rebalances there is nothing to tell.
    pub(super) fn described(&self, member: &str, protocol: Option<&str>) -> DescribedMember {
        DescribedMember {
            member: member.to_owned(),
            instance: self.instance.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            metadata: protocol.map(|protocol| self.metadata(protocol)).unwrap_or_default(),
            assignment: protocol.map(|_| self.assignment.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn kept(&self, member: &str) -> KeptMember {
        let millis = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        let protocols = self.protocols.iter().cloned();
        KeptMember {
            member: member.to_owned(),
            instance: self.instance.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            session_timeout_ms: millis(self.session_timeout),
            rebalance_timeout_ms: millis(self.rebalance_timeout),
            protocols: protocols.map(|(name, said)| (name, Binary(said))).collect(),
            assignment: Binary(self.assignment.clone()),
        }
    }

    pub(super) fn of(kept: &KeptMember) -> Member {
        let protocols = kept.protocols.iter().cloned();
        Member {
            instance: kept.instance.clone(),
            client_id: kept.client_id.clone(),
            // It was kept with the slash that belongs to Kafka's wire.
            client_host: kept.client_host.trim_start_matches('/').to_owned(),
            session_timeout: Duration::from_millis(kept.session_timeout_ms.into()),
            rebalance_timeout: Duration::from_millis(kept.rebalance_timeout_ms.into()),
            protocols: protocols.map(|(name, said)| (name, said.0)).collect(),
            assignment: kept.assignment.0.clone(),
            joining: None,
            syncing: None,
            synced: false,
            told: true,
            alive_until: Monotonic(0),
        }
    }
}

/// Bytes of what is said with all assignors.
pub(super) fn said_bytes(protocols: &[(String, Bytes)]) -> usize {
    protocols.iter().map(|(name, said)| name.len() + said.len()).sum()
}
