//! SIGKILL under load, while serving and while starting: every acknowledged
//! record is there afterwards, at its offset, in order (ACK, PREFIX).

use pyralog_tests::kafka::{Client, code};
use pyralog_tests::load::{Load, LoadPlan};
use pyralog_tests::node::{Node, Plan, READY_PATIENCE};
use pyralog_tests::seeded::{self, Seeded};
use pyralog_tests::wait;
use std::time::Duration;

const PRODUCERS: usize = 5;
const ACKNOWLEDGED_MIN: u64 = 100_000;
/// A start that is killed is killed within this time after its first request.
const START_MICROS_MAX: usize = 60_000;

/// What was going on at one kill.
struct Kill {
    starting: bool,
    producers_in_flight: usize,
}

struct Run {
    kills: usize,
    seeded: Seeded,
    load: Load,
    plan: Plan,
    log: Vec<Kill>,
}

impl Run {
    /// Kills that must come before `ready`: more than the third that is asked
    /// for, because some starts are quicker than their executioner.
    fn starts_wanted(&self) -> usize {
        self.kills * 9 / 20
    }

    fn starts(&self) -> usize {
        self.log.iter().filter(|kill| kill.starting).count()
    }

    /// Kills and restarts until there were enough kills of both kinds.
    fn go(&mut self, mut node: Node) -> Node {
        let each = ACKNOWLEDGED_MIN / (self.kills - self.starts_wanted()) as u64 + 1;
        while self.log.len() < self.kills {
            node.wait_ready(READY_PATIENCE).unwrap();
            self.kill_serving(node, each);
            node = self.plan.spawn().unwrap();
            // One or two starts in a row die, so that some recoveries begin
            // with what a killed recovery left.
            for _ in 0..=self.seeded.below(2) {
                if self.starts() < self.starts_wanted() && self.log.len() < self.kills {
                    node = self.kill_starting(node);
                }
            }
        }
        node.wait_ready(READY_PATIENCE).unwrap();
        node
    }

    /// Lets the producers get `each` more acknowledgements, and kills when
    /// every one of them has a request in flight.
    fn kill_serving(&mut self, node: Node, each: u64) {
        let wanted = self.load.acknowledged() + each;
        let served = wait::holds(READY_PATIENCE, || self.load.acknowledged() >= wanted);
        assert!(served, "no acknowledgements after a restart\n{}", node.tail());
        let all = wait::until(READY_PATIENCE, || {
            Some(self.load.producers_in_flight()).filter(|count| *count == PRODUCERS)
        });
        let producers_in_flight = all.expect("producers with nothing in flight");
        node.kill().unwrap();
        self.log.push(Kill { starting: false, producers_in_flight });
    }

    /// Kills a starting node once producers have sent it something, which its
    /// socket takes long before it serves. A start that is quicker than that
    /// is not counted, and lives.
    fn kill_starting(&mut self, mut node: Node) -> Node {
        let begun =
            wait::holds(READY_PATIENCE, || self.load.producers_in_flight() > 0 || !node.is_alive());
        assert!(begun && node.is_alive(), "the start failed\n{}", node.tail());
        // The fault itself: a moment anywhere in the recovery.
        std::thread::sleep(Duration::from_micros(self.seeded.below(START_MICROS_MAX) as u64));
        let producers_in_flight = self.load.producers_in_flight();
        if node.is_ready() || producers_in_flight == 0 {
            return node;
        }
        node.kill().unwrap();
        self.log.push(Kill { starting: true, producers_in_flight });
        self.plan.spawn().unwrap()
    }
}

fn kills() -> usize {
    if std::env::var_os("PYRALOG_FULL").is_some_and(|value| value == "1") { 100 } else { 24 }
}

#[test]
fn acknowledged_records_survive_sigkills() {
    let seed = seeded::seed();
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let node = plan.start().unwrap();
    let created = Client::dial(plan.kafka()).unwrap().create("kills", PRODUCERS as i32).unwrap();
    assert_eq!(created, code::NONE);
    let load = Load::start(LoadPlan {
        address: plan.kafka(),
        topic: "kills".into(),
        producers: PRODUCERS,
        batch_records: 40,
        in_flight: 4,
    });
    let mut run = Run {
        kills: kills(),
        seeded: Seeded::new(seed),
        load,
        plan: plan.clone(),
        log: Vec::new(),
    };
    let node = run.go(node);
    let (starts, log) = (run.starts(), run.log);
    let outcome = run.load.stop();
    let anomalies = outcome.judge(plan.kafka(), "kills").unwrap();
    println!(
        "seed {seed}: {} kills, {starts} of them in starts, {} records acknowledged, {} connections broken, codes {:?}",
        log.len(),
        outcome.acknowledged(),
        outcome.broken,
        outcome.codes,
    );
    assert!(
        anomalies.is_empty(),
        "seed {seed}: {} anomalies, such as {:?}",
        anomalies.len(),
        &anomalies[..anomalies.len().min(10)]
    );
    node.stop().unwrap();

    // A run in which the faults met no traffic is void.
    assert!(starts * 3 >= log.len(), "void: {starts} of {} kills in starts", log.len());
    let serving = |kill: &&Kill| !kill.starting;
    assert!(
        log.iter().filter(serving).all(|kill| kill.producers_in_flight == PRODUCERS),
        "void: idle producers"
    );
    assert!(log.iter().all(|kill| kill.producers_in_flight > 0), "void: nothing in flight");
    assert!(
        outcome.acknowledged() as u64 >= ACKNOWLEDGED_MIN,
        "void: {} records",
        outcome.acknowledged()
    );
}
