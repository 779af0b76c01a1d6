//! A client: a small consumer with the manners of real ones. It knows what it is doing
//! and what it waits for; what it does next is in `conduct.rs`.

use super::PARTITIONS;
use crate::chance::Chance;
use bytes::Bytes;
use pyralog_env::Monotonic;
use pyralog_groups::{
    CommitOffsets, CommittedOffset, FetchOffsets, Heartbeat, JoinGroup, LeaveGroup, Leaving,
    OffsetToCommit, Request, SyncGroup, TopicPartition,
};
use pyralog_model::LogNumber;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The group of all clients.
pub(super) const GROUP: &str = "readers";
/// The log that they read.
pub(super) const LOG: &str = "log";
/// Its number: it is never deleted.
const LOG_NUMBER: LogNumber = LogNumber(1);

/// What it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing until then; it will join.
    Resting(Monotonic),
    Joining,
    Syncing,
    Fetching,
    Reading,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) alive: bool,
    pub(super) instance: Option<String>,
    /// Asks for its id first, as newer clients do.
    knows_first: bool,
    skips: bool,
    session: Duration,
    pub(super) rebalance: Duration,
    pub(super) member: String,
    pub(super) generation: i32,
    pub(super) doing: Doing,
    /// The request that it waits for, and since when.
    pub(super) waits_for: Option<(u64, Monotonic)>,
    pub(super) beats: BTreeSet<u64>,
    pub(super) commits: BTreeSet<u64>,
    pub(super) owned: Vec<u32>,
    pub(super) positions: BTreeMap<u32, i64>,
    /// It sends nothing until then, and knows nothing of that.
    pub(super) paused_until: Monotonic,
    /// It only sends heartbeats until then.
    pub(super) busy_until: Monotonic,
    /// It was told to join again.
    pub(super) must_join: bool,
}

impl Client {
    pub(super) fn new(chance: &Chance, instance: Option<String>, now: Monotonic) -> Client {
        Client {
            alive: true,
            instance,
            knows_first: chance.percent(60),
            skips: chance.percent(50),
            session: Duration::from_secs(6 + chance.below(5)),
            rebalance: rebalance(chance),
            member: String::new(),
            generation: -1,
            doing: Doing::Resting(now),
            waits_for: None,
            beats: BTreeSet::new(),
            commits: BTreeSet::new(),
            owned: Vec::new(),
            positions: BTreeMap::new(),
            paused_until: now,
            busy_until: now,
            must_join: false,
        }
    }

    pub(super) fn join(&self) -> Request {
        Request::Join(JoinGroup {
            group: GROUP.into(),
            member: self.member.clone(),
            instance: self.instance.clone(),
            client_id: "reader".into(),
            client_host: "sim".into(),
            session_timeout: self.session,
            rebalance_timeout: self.rebalance,
            protocol_type: "consumer".into(),
            protocols: vec![("range".into(), Bytes::from_static(b"log"))],
            requires_known_member: self.knows_first,
            supports_skipping_assignment: self.skips,
        })
    }

    pub(super) fn sync(&self, assignments: Vec<(String, Bytes)>) -> Request {
        Request::Sync(SyncGroup {
            group: GROUP.into(),
            generation: self.generation,
            member: self.member.clone(),
            instance: self.instance.clone(),
            protocol_type: None,
            protocol: None,
            assignments,
        })
    }

    pub(super) fn fetch(&self) -> Request {
        let partitions = Some(self.owned.iter().map(|number| partition(*number)).collect());
        Request::Fetch(FetchOffsets { group: GROUP.into(), partitions })
    }

    pub(super) fn heartbeat(&self) -> Request {
        Request::Heartbeat(Heartbeat {
            group: GROUP.into(),
            generation: self.generation,
            member: self.member.clone(),
            instance: self.instance.clone(),
        })
    }

    pub(super) fn leave(&self) -> Request {
        let leaving = Leaving { member: self.member.clone(), instance: self.instance.clone() };
        Request::Leave(LeaveGroup { group: GROUP.into(), members: vec![leaving] })
    }

    /// All its positions, each with a note by which the judge knows it again.
    pub(super) fn commit(&self, note: u64) -> Request {
        let offsets =
            self.positions.iter().map(|(number, offset)| to_commit(*number, *offset, note));
        Request::Commit(CommitOffsets {
            group: GROUP.into(),
            generation: self.generation,
            member: self.member.clone(),
            instance: self.instance.clone(),
            offsets: offsets.collect(),
        })
    }

    /// Forgets its generation; and its id too, if it is of no use any more.
    pub(super) fn start_over(&mut self, at: Monotonic, forget_id: bool) {
        self.doing = Doing::Resting(at);
        self.waits_for = None;
        self.beats.clear();
        self.commits.clear();
        self.owned.clear();
        self.positions.clear();
        self.must_join = false;
        if forget_id {
            self.member.clear();
        }
    }

    pub(super) fn is_paused(&self, now: Monotonic) -> bool {
        self.paused_until > now
    }

    pub(super) fn is_busy(&self, now: Monotonic) -> bool {
        self.busy_until > now
    }
}

/// Most give their group some time; some give it hardly any, or none.
fn rebalance(chance: &Chance) -> Duration {
    match chance.below(10) {
        0 => Duration::ZERO,
        1 => Duration::from_millis(chance.below(1_000)),
        _ => Duration::from_secs(10 + chance.below(11)),
    }
}

pub(super) fn partition(partition: u32) -> TopicPartition {
    debug_assert!(partition < PARTITIONS, "the assignor gave what is not there");
    TopicPartition { topic: LOG.into(), partition }
}

pub(super) fn to_commit(number: u32, offset: i64, note: u64) -> OffsetToCommit {
    let committed = CommittedOffset { offset, leader_epoch: 0, metadata: note.to_string() };
    OffsetToCommit { partition: partition(number), log: LOG_NUMBER, committed }
}
