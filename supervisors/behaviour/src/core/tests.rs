//! The decisions against a model, and against their invariants under histories
//! in which starts, stops, crashes and timers interleave as they like.

mod interleaved;
mod model;
mod single;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pyralog_env::Monotonic;
use ractor::{ActorRef, SpawnErr};

use super::{Core, Effect, Exit, Input};
use crate::{ChildSpec, Intensity, Restart, Strategy, SupervisorMessage, SupervisorSpec};

/// A specification that the core reads and nobody ever starts.
fn child(restart: Restart) -> ChildSpec {
    let never = |_| async {
        Err::<(ActorRef<SupervisorMessage>, _), _>(SpawnErr::StartupFailed("never started".into()))
    };
    ChildSpec::new("child", "test", never).restart(restart)
}

/// A world that does what the core says, and refuses what breaks an invariant.
struct World {
    core: Core,
    strategy: Strategy,
    now: Monotonic,
    alive: BTreeSet<u64>,
    starting: BTreeSet<u64>,
    stopping: BTreeSet<u64>,
    waiting: BTreeSet<u64>,
    generations: BTreeMap<u64, u64>,
    quarantined: BTreeSet<u64>,
    forgotten: BTreeSet<u64>,
    restarts: Vec<Monotonic>,
    escalated: bool,
    /// `+place` for a start, `-place` for a stop, in the order of the effects.
    log: Vec<String>,
}

impl World {
    fn new(spec: SupervisorSpec) -> World {
        let mut core = Core::new(&spec);
        for (place, child) in spec.children.iter().enumerate() {
            core.admit(Monotonic(0), place as u64, child);
        }
        let places = 0..spec.children.len() as u64;
        World {
            core,
            strategy: spec.strategy,
            now: Monotonic(0),
            alive: places.clone().collect(),
            starting: BTreeSet::new(),
            stopping: BTreeSet::new(),
            waiting: BTreeSet::new(),
            generations: places.map(|place| (place, 1)).collect(),
            quarantined: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            restarts: Vec::new(),
            escalated: false,
            log: Vec::new(),
        }
    }

    fn of(strategy: Strategy, restarts: &[Restart], intensity: Intensity) -> World {
        let children = restarts.iter().map(|restart| child(*restart)).collect();
        World::new(SupervisorSpec { strategy, intensity, children, dynamic: false })
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn add(&mut self, place: u64, spec: &ChildSpec) {
        let effects = self.core.add(place, spec);
        self.perform(effects);
    }

    fn step(&mut self, input: Input) {
        let effects = self.core.step(self.now, input);
        self.perform(effects);
    }

    fn crash(&mut self, place: u64, exit: Exit) {
        assert!(self.alive.remove(&place), "only who lives can crash");
        self.stopping.remove(&place);
        self.step(Input::Ended(place, exit));
    }

    fn come_up(&mut self, place: u64) {
        assert!(self.starting.remove(&place));
        self.alive.insert(place);
        self.step(Input::Started(place));
    }

    fn fail_to_start(&mut self, place: u64) {
        assert!(self.starting.remove(&place));
        self.stopping.remove(&place);
        self.step(Input::StartFailed(place));
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            assert!(!self.escalated, "nothing is decided after giving up");
            match effect {
                Effect::Start(place) => self.start(place),
                Effect::Stop(place) => self.stop(place),
                Effect::Wait(place, _) => {
                    assert!(!self.alive.contains(&place));
                    self.restarts.push(self.now);
                    self.waiting.insert(place);
                }
                Effect::Quarantine(place) => assert!(self.quarantined.insert(place)),
                Effect::Forget(place) => assert!(self.forgotten.insert(place)),
                Effect::Escalate(_) => self.escalated = true,
            }
        }
    }

    fn start(&mut self, place: u64) {
        self.log.push(format!("+{place}"));
        assert!(!self.alive.contains(&place), "one life at a time");
        assert!(self.starting.insert(place), "one start at a time");
        *self.generations.entry(place).or_default() += 1;
        if self.strategy != Strategy::OneForOne {
            assert!(self.stopping.is_empty(), "order: nobody starts while one is ending");
            assert_eq!(self.starting.len(), 1, "order: one start after the other");
        }
    }

    fn stop(&mut self, place: u64) {
        self.log.push(format!("-{place}"));
        assert!(self.alive.contains(&place) || self.starting.contains(&place));
        assert!(self.stopping.insert(place), "told once");
        if self.strategy != Strategy::OneForOne {
            assert_eq!(self.stopping.len(), 1, "order: one stop after the other");
        }
    }

    /// Lets everything that is under way succeed until nothing is.
    fn settle(&mut self) {
        loop {
            if let Some(place) = self.stopping.pop_first() {
                match self.starting.contains(&place) {
                    true => self.fail_to_start(place),
                    false => self.crash(place, Exit::Normal),
                }
            } else if let Some(place) = self.starting.first().copied() {
                self.come_up(place);
            } else if let Some(place) = self.waiting.pop_first() {
                self.step(Input::Elapsed(place));
            } else {
                return;
            }
        }
    }
}
