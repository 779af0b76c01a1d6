//! The group world: one coordinator of consumer groups, its log, and clients that
//! come, go, stall, die and return, over a network that nobody should trust.
//!
//! ```text
//!  chaos ──▶ Client ══ Link (stalls, loses, repeats) ══▶ Broker: Coordinator, Journal
//!              │                                            │            │
//!              └── what it read ──▶ Judge ◀── every answer ─┘            ▼
//!                                                          Paper: refuses, is torn
//! ```
//!
//! The judge sees requests arrive and answers leave, and what clients read. At the end
//! comes a quiet time, after which everything must be read and committed.

mod assignor;
mod broker;
mod chaos;
mod client;
mod conduct;
mod judge;
mod link;
mod loner;
mod paper;
mod quiet;

use crate::chance::Chance;
use crate::judge::Verdict;
use crate::seeded::run_seed;
use crate::tally::tally;
use broker::Broker;
use client::Client;
use judge::Judge;
use link::Link;
use loner::Loner;
use pyralog_env::{Monotonic, WallMillis};
use pyralog_groups::{Caller, GroupError, Moment, Mutation, Reply, Request};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Partitions of the log that is read.
const PARTITIONS: u32 = 3;
/// When worlds begin, by the wall: 2027.
const BEGIN_MS: i64 = 1_800_000_000_000;

/// How long a world is, and which bug lives in it.
#[derive(Debug, Clone, Copy)]
pub struct GroupPlan {
    /// Seconds of trouble.
    pub trouble_s: u64,
    /// Seconds of quiet after it.
    pub quiet_s: u64,
    /// A planted bug.
    pub mutation: Option<Mutation>,
}

impl Default for GroupPlan {
    fn default() -> GroupPlan {
        GroupPlan { trouble_s: 120, quiet_s: 120, mutation: None }
    }
}

tally! {
    /// Counts over one group world or many.
    GroupTally {
        worlds: "worlds",
        requests: "requests that arrived",
        repeated: "requests that arrived twice",
        lost_requests: "requests lost",
        lost_answers: "answers lost",
        stalls: "links stalled",
        generations: "generations announced",
        joined: "answers to joins",
        synced: "assignments given",
        returns: "static members back without a rebalance",
        take_overs: "instances taken over from a living client",
        fenced: "requests of instances shut out",
        unknown: "requests of members put out",
        old_generations: "requests of old generations",
        commits: "commits acknowledged",
        refused_commits: "commits refused with an old or unknown member",
        fetches: "fetches judged",
        read: "records read",
        read_again: "records read again",
        appends: "appends stored",
        refused_appends: "appends refused",
        crashes: "crashes of the coordinator",
        torn: "appends torn by a crash",
        checkpoints: "checkpoints that cut the log",
        busy: "clients busy beyond a rebalance",
        deaths: "clients that died",
        leaves: "clients that left",
        arrivals: "clients that came",
        heirs: "logs made again under their name",
        gone: "acknowledged for a log that was gone",
    }
}

/// Lets a group world run from its seed.
///
/// # Errors
/// Which promise was broken, with the seed that repeats it.
pub fn run_group_world(seed: u64, plan: &GroupPlan) -> Result<GroupTally, String> {
    run_seed(seed, || {
        let mut world = GroupWorld::new(seed, plan);
        let lived = world.live(plan);
        lived.map_err(|what| format!("at {:?}: {what}", world.now.since(Monotonic(0))))?;
        Ok(world.tally)
    })
}

/// Who sends: a client of the group, or the one without a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sender {
    Client(usize),
    Loner,
}

/// One request on its way.
#[derive(Debug, Clone)]
struct Letter {
    sender: Sender,
    number: u64,
    request: Request,
}

/// What will happen.
#[derive(Debug)]
enum Event {
    Arrives(Letter),
    Answers { sender: Sender, number: u64, answer: Result<Reply, GroupError> },
    Decided { life: u64 },
    Alarm { life: u64 },
    LogsChanged { life: u64 },
    Wake(usize),
    WakeLoner,
    Chaos,
}

struct GroupWorld {
    chance: Chance,
    now: Monotonic,
    events: BTreeMap<(Monotonic, u64), Event>,
    event_next: u64,
    broker: Broker,
    clients: Vec<Client>,
    links: BTreeMap<usize, Link>,
    loner: Loner,
    judge: Judge,
    /// Records of each partition.
    ends: Vec<i64>,
    /// Trouble is over.
    is_quiet: bool,
    letter_next: u64,
    asked: BTreeMap<Caller, (Sender, u64)>,
    instances: BTreeSet<String>,
    tally: GroupTally,
}

impl GroupWorld {
    fn new(seed: u64, plan: &GroupPlan) -> GroupWorld {
        let chance = Chance::new(seed ^ 0x6702);
        let now = Monotonic(0);
        let broker = Broker::new(&chance, plan.mutation, moment(now));
        GroupWorld {
            chance,
            now,
            events: BTreeMap::new(),
            event_next: 0,
            broker,
            clients: Vec::new(),
            links: BTreeMap::new(),
            loner: Loner::default(),
            judge: Judge::new(PARTITIONS),
            ends: vec![0; PARTITIONS as usize],
            is_quiet: false,
            letter_next: 0,
            asked: BTreeMap::new(),
            instances: BTreeSet::new(),
            tally: GroupTally { worlds: 1, ..GroupTally::default() },
        }
    }

    fn live(&mut self, plan: &GroupPlan) -> Verdict {
        for _ in 0..1 + self.chance.below(3) {
            self.arrive(None);
        }
        self.after(Duration::ZERO, Event::Chaos);
        self.after(Duration::ZERO, Event::WakeLoner);
        let trouble = Monotonic(0) + Duration::from_secs(plan.trouble_s);
        self.run_until(trouble)?;
        self.calm_down();
        self.run_until(trouble + Duration::from_secs(plan.quiet_s))?;
        self.check_quiet()
    }

    fn run_until(&mut self, end: Monotonic) -> Verdict {
        while let Some(((at, _), _)) = self.events.first_key_value() {
            if *at > end {
                break;
            }
            let ((at, _), event) = self.events.pop_first().expect("it was looked at");
            self.now = at;
            self.judge.happens(at)?;
            self.happen(event)?;
            self.judge.nobody_is_stuck(self.now)?;
        }
        self.now = end;
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Verdict {
        match event {
            Event::Arrives(letter) => self.arrives(letter),
            Event::Answers { sender, number, answer } => self.answers(sender, number, answer),
            Event::Decided { life } => self.decided(life),
            Event::Alarm { life } => self.alarm(life),
            Event::LogsChanged { life } => self.logs_changed(life),
            Event::Wake(client) => self.wake(client),
            Event::WakeLoner => {
                self.wake_loner();
                Ok(())
            }
            Event::Chaos => {
                self.chaos();
                Ok(())
            }
        }
    }

    fn after(&mut self, duration: Duration, event: Event) {
        self.at(self.now + duration, event);
    }

    fn at(&mut self, at: Monotonic, event: Event) {
        self.events.insert((at, self.event_next), event);
        self.event_next += 1;
    }

    fn millis(&self, below: u64) -> Duration {
        Duration::from_millis(self.chance.below(below))
    }
}

/// Both clocks go alike: the retention of offsets is not what is judged here.
fn moment(now: Monotonic) -> Moment {
    let passed = now.since(Monotonic(0)).as_millis() as i64;
    Moment { monotonic: now, wall: WallMillis(BEGIN_MS + passed) }
}
