//! The rules of the protocol, one by one.

mod admin;
mod commits;
mod durability;
mod expiry;
mod history;
mod joining;
mod leaving;
mod statics;
mod syncing;

use super::*;
use crate::protocol::*;
use crate::record::Record;
use crate::settings::{GroupLimits, GroupSettings};
use bytes::Bytes;
use pyralog_env::WallMillis;
use pyralog_env::sim::SimEntropy;
use pyralog_model::LogNumber;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The number of every log.
pub(super) const LOG: LogNumber = LogNumber(1);
/// A later log of the same name.
pub(super) const HEIR: LogNumber = LogNumber(2);
pub(super) const SESSION: Duration = Duration::from_secs(10);
pub(super) const REBALANCE: Duration = Duration::from_secs(60);

/// A coordinator with a clock that is moved by hand and a log that says yes when it is
/// told to.
pub(super) struct Bench {
    pub(super) machine: Coordinator,
    pub(super) now: Moment,
    pub(super) settings: Arc<GroupSettings>,
    pub(super) writes: VecDeque<(Token, Arc<[Record]>)>,
    /// What is durable, in order.
    pub(super) log: Vec<Record>,
    answers: BTreeMap<Caller, Result<Reply, GroupError>>,
    caller_next: u64,
    /// Writes are durable at once.
    pub(super) writes_through: bool,
}

pub(super) fn settings() -> GroupSettings {
    GroupSettings { initial_rebalance_delay: Duration::ZERO, ..GroupSettings::default() }
}

impl Bench {
    pub(super) fn new() -> Bench {
        Bench::with(settings())
    }

    pub(super) fn with(settings: GroupSettings) -> Bench {
        let (settings, now) = (Arc::new(settings), moment(0));
        let entropy = Arc::new(SimEntropy::new(7));
        let machine = Coordinator::new(Arc::clone(&settings), entropy, Kept::default(), now);
        Bench {
            machine,
            now,
            settings,
            writes: VecDeque::new(),
            log: Vec::new(),
            answers: BTreeMap::new(),
            caller_next: 0,
            writes_through: true,
        }
    }

    pub(super) fn with_limits(limits: GroupLimits) -> Bench {
        Bench::with(GroupSettings { limits, ..settings() })
    }

    pub(super) fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.step(self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Write { token, records } => self.writes.push_back((token, records)),
                Effect::Reply { caller, answer } => {
                    let twice = self.answers.insert(caller, answer);
                    assert_eq!(twice, None, "{caller:?} was answered twice");
                }
            }
        }
        if self.writes_through {
            self.settle(true);
        }
    }

    /// Decides the writes that wait.
    pub(super) fn settle(&mut self, stored: bool) {
        while let Some((token, records)) = self.writes.pop_front() {
            if stored {
                self.log.extend(records.iter().cloned());
            }
            self.step(Input::Written { tokens: vec![token], stored });
        }
    }

    pub(super) fn ask(&mut self, request: Request) -> Caller {
        let caller = Caller(self.caller_next);
        self.caller_next += 1;
        self.step(Input::Request { caller, request });
        caller
    }

    /// The answer, if it has come.
    pub(super) fn answer(&mut self, caller: Caller) -> Option<Result<Reply, GroupError>> {
        self.answers.remove(&caller)
    }

    /// Asks, and expects the answer at once.
    pub(super) fn now(&mut self, request: Request) -> Result<Reply, GroupError> {
        let caller = self.ask(request);
        self.answer(caller).expect("it is answered at once")
    }

    pub(super) fn joined(&mut self, caller: Caller) -> Joined {
        match self.answer(caller) {
            Some(Ok(Reply::Joined(joined))) => joined,
            other => panic!("not joined: {other:?}"),
        }
    }

    pub(super) fn waits(&self, caller: Caller) -> bool {
        !self.answers.contains_key(&caller)
    }

    /// Lets time pass, tick by tick.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now.monotonic + duration;
        while let Some(next) = self.machine.next_deadline().filter(|next| *next <= end) {
            self.set_time(next.max(self.now.monotonic));
            self.step(Input::Tick);
        }
        self.set_time(end);
    }

    fn set_time(&mut self, monotonic: Monotonic) {
        let passed = monotonic.since(self.now.monotonic).as_millis() as i64;
        self.now = Moment { monotonic, wall: WallMillis(self.now.wall.0 + passed) };
    }

    pub(super) fn state(&mut self, group: &str) -> GroupState {
        self.description(group).summary.state
    }

    pub(super) fn description(&mut self, group: &str) -> GroupDescription {
        match self.now(Request::Describe(group.to_owned())) {
            Ok(Reply::Described(description)) => description,
            other => panic!("{other:?}"),
        }
    }

    /// The only member of a stable group, assigned `"all"`.
    pub(super) fn stable_one(&mut self) -> Joined {
        let caller = self.ask(Request::Join(join("")));
        let joined = self.joined(caller);
        let assignments = [(joined.member.as_str(), "all")];
        assert_eq!(self.sync(&joined, &assignments), Ok("all".to_owned()));
        joined
    }

    /// Two members of a stable group; the first leads.
    pub(super) fn stable_two(&mut self) -> (Joined, Joined) {
        let one = self.stable_one();
        let two = self.ask(Request::Join(join("")));
        let one = self.ask(Request::Join(join(&one.member)));
        let (one, two) = (self.joined(one), self.joined(two));
        let waiting = self.ask(sync(&two, &[]));
        let assignments = [(one.member.as_str(), "a"), (two.member.as_str(), "b")];
        assert_eq!(self.sync(&one, &assignments), Ok("a".to_owned()));
        assert_eq!(self.synced(waiting), Ok("b".to_owned()));
        (one, two)
    }

    pub(super) fn sync(
        &mut self,
        joined: &Joined,
        assignments: &[(&str, &str)],
    ) -> Result<String, GroupError> {
        let caller = self.ask(sync(joined, assignments));
        self.synced(caller)
    }

    pub(super) fn synced(&mut self, caller: Caller) -> Result<String, GroupError> {
        match self.answer(caller).expect("it is answered") {
            Ok(Reply::Synced(synced)) => Ok(String::from_utf8(synced.assignment.to_vec()).unwrap()),
            Err(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn beat(&mut self, joined: &Joined) -> Result<(), GroupError> {
        self.now(Request::Heartbeat(Heartbeat {
            group: "g".into(),
            generation: joined.generation,
            member: joined.member.clone(),
            instance: None,
        }))
        .map(|_| ())
    }

    /// What is shown as committed for `log/0`.
    pub(super) fn committed(&mut self) -> Option<i64> {
        let caller = self.fetch();
        self.fetched(caller)
    }

    pub(super) fn fetch(&mut self) -> Caller {
        let partitions = Some(vec![partition("log", 0)]);
        self.ask(Request::Fetch(FetchOffsets { group: "g".into(), partitions }))
    }

    pub(super) fn fetched(&mut self, caller: Caller) -> Option<i64> {
        match self.answer(caller) {
            Some(Ok(Reply::Fetched(found))) => found[0].kept.as_ref().map(|kept| kept.offset),
            other => panic!("not fetched: {other:?}"),
        }
    }

    /// A coordinator that starts with what this one's log says.
    pub(super) fn restart(&mut self) {
        let mut kept = Kept::default();
        self.log.iter().for_each(|record| kept.apply(record));
        let (settings, entropy) = (Arc::clone(&self.settings), Arc::new(SimEntropy::new(8)));
        self.machine = Coordinator::new(settings, entropy, kept, self.now);
        self.writes.clear();
    }
}

pub(super) fn moment(seconds: u64) -> Moment {
    let wall = WallMillis(1_700_000_000_000 + seconds as i64 * 1_000);
    Moment { monotonic: Monotonic(0) + Duration::from_secs(seconds), wall }
}

/// A JoinGroup for group `g` as from an old client that need not know its id.
pub(super) fn join(member: &str) -> JoinGroup {
    JoinGroup {
        group: "g".into(),
        member: member.into(),
        instance: None,
        client_id: "client".into(),
        client_host: "127.0.0.1".into(),
        session_timeout: SESSION,
        rebalance_timeout: REBALANCE,
        protocol_type: "consumer".into(),
        protocols: protocols(&["range"]),
        requires_known_member: false,
        supports_skipping_assignment: false,
    }
}

pub(super) fn protocols(names: &[&str]) -> Vec<(String, Bytes)> {
    names.iter().map(|name| ((*name).to_owned(), Bytes::from_static(b"what it reads"))).collect()
}

pub(super) fn sync(joined: &Joined, assignments: &[(&str, &str)]) -> Request {
    let assignment = |(member, assigned): &(&str, &str)| {
        ((*member).to_owned(), Bytes::copy_from_slice(assigned.as_bytes()))
    };
    Request::Sync(SyncGroup {
        group: "g".into(),
        generation: joined.generation,
        member: joined.member.clone(),
        instance: None,
        protocol_type: None,
        protocol: None,
        assignments: assignments.iter().map(assignment).collect(),
    })
}

pub(super) fn partition(topic: &str, partition: u32) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition }
}

pub(super) fn commit(joined: &Joined, offset: i64) -> CommitOffsets {
    CommitOffsets { generation: joined.generation, member: joined.member.clone(), ..alone(offset) }
}

/// A commit for `log/0` by a client that manages its partitions itself.
pub(super) fn alone(offset: i64) -> CommitOffsets {
    let committed = CommittedOffset { offset, leader_epoch: 3, metadata: "note".into() };
    CommitOffsets {
        group: "g".into(),
        generation: -1,
        member: String::new(),
        instance: None,
        offsets: vec![OffsetToCommit { partition: partition("log", 0), log: LOG, committed }],
    }
}
