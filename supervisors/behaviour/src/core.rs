//! The decisions of a supervisor, without the actor.
//!
//! `step` takes what happened and says what to do. It knows neither actors nor
//! timers: a child is a place in start order, its life a phase. Whoever
//! performs the effects comes back with the next input.
//!
//! ```text
//!            Start            Started
//!   Down ───────────► Starting ──────► Up ──────────────► Finished
//!    ▲ ▲                 │              │ ended, for good
//!    │ │ Elapsed         │ failed       │ failed
//!    │ └──── Waiting ◄───┴──────────────┤────────────────► Quarantined
//!    │                                  │ a sibling failed
//!    └───── Stopping ◄─── Condemned ◄───┘
//! ```
//!
//! Invariants: a child is started only from `Down`, which it reaches only
//! after its end was heard (*one life at a time*). Under `one_for_all` and
//! `rest_for_one` children are stopped one at a time from the last, and started
//! one at a time from the first, never while one is waiting or ending (*order*).

use std::collections::BTreeMap;

use pyralog_env::Monotonic;

use crate::intensity::RestartWindow;
use crate::{Backoff, ChildSpec, Restart, Strategy, SupervisorSpec};

#[cfg(test)]
mod tests;

/// Where a child is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not alive; to be started as soon as its turn comes.
    Down,
    /// Not alive; to be started after its wait.
    Waiting,
    Starting,
    Up,
    /// Alive or starting, and to be stopped because a sibling failed.
    Condemned,
    /// Told to stop.
    Stopping,
    /// Ended for good, still listed.
    Finished,
    /// Failed too often; left alone.
    Quarantined,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Down => "down",
            Phase::Waiting => "waiting",
            Phase::Starting => "starting",
            Phase::Up => "running",
            Phase::Condemned | Phase::Stopping => "stopping",
            Phase::Finished => "finished",
            Phase::Quarantined => "quarantined",
        }
    }

    fn is_alive(self) -> bool {
        matches!(self, Phase::Starting | Phase::Up | Phase::Condemned | Phase::Stopping)
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Normal,
    Abnormal,
}

/// What happened to the child at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// It is up.
    Started(u64),
    /// It did not come up, and nothing of it is left.
    StartFailed(u64),
    /// It ended, and nothing of it is left.
    Ended(u64, Exit),
    /// Its wait is over.
    Elapsed(u64),
    /// It shall go and not come back.
    Remove(u64),
}

/// What the supervisor must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Start(u64),
    Stop(u64),
    Wait(u64, std::time::Duration),
    /// Nothing of the child is left and nobody wants it back: forget it.
    Forget(u64),
    Quarantine(u64),
    /// Too many restarts, the last because of this child: stop everything and fail.
    Escalate(u64),
}

#[derive(Debug)]
struct Child {
    phase: Phase,
    restart: Restart,
    backoff: Backoff,
    quarantine_after: Option<u32>,
    /// Consecutive failures, forgotten after a healthy spell.
    failures: u32,
    up_since: Option<Monotonic>,
    /// Added while running and never up so far: a failure to start is the
    /// asker's business, not a reason to try again.
    is_new: bool,
    is_leaving: bool,
}

/// The state of one supervisor's decisions.
#[derive(Debug)]
pub(crate) struct Core {
    strategy: Strategy,
    forgets_the_ended: bool,
    window: RestartWindow,
    children: BTreeMap<u64, Child>,
    has_escalated: bool,
    effects: Vec<Effect>,
}

impl Core {
    pub(crate) fn new(spec: &SupervisorSpec) -> Core {
        Core {
            strategy: spec.strategy,
            forgets_the_ended: spec.dynamic,
            window: RestartWindow::new(spec.intensity),
            children: BTreeMap::new(),
            has_escalated: false,
            effects: Vec::new(),
        }
    }

    /// A child that came up with its supervisor.
    pub(crate) fn admit(&mut self, now: Monotonic, place: u64, spec: &ChildSpec) {
        let child = Child { up_since: Some(now), is_new: false, ..Child::new(Phase::Up, spec) };
        self.children.insert(place, child);
    }

    /// A child added while running. Its place must be beyond all others.
    pub(crate) fn add(&mut self, place: u64, spec: &ChildSpec) -> Vec<Effect> {
        debug_assert!(self.children.last_key_value().is_none_or(|(last, _)| *last < place));
        self.children.insert(place, Child::new(Phase::Down, spec));
        self.lies_down(place);
        self.advance()
    }

    pub(crate) fn phase(&self, place: u64) -> Option<Phase> {
        self.children.get(&place).map(|child| child.phase)
    }

    /// What follows from `input`, in the order in which it must be done.
    pub(crate) fn step(&mut self, now: Monotonic, input: Input) -> Vec<Effect> {
        if self.has_escalated {
            return Vec::new();
        }
        match input {
            Input::Started(place) => self.started(now, place),
            Input::StartFailed(place) => self.start_failed(now, place),
            Input::Ended(place, exit) => self.ended(now, place, exit),
            Input::Elapsed(place) => self.elapsed(place),
            Input::Remove(place) => self.remove(place),
        }
        self.advance()
    }

    fn started(&mut self, now: Monotonic, place: u64) {
        let Some(child) = self.children.get_mut(&place) else { return };
        child.up_since = Some(now);
        child.is_new = false;
        // Whoever was told to stop it meanwhile stops it now that it is up.
        if child.phase == Phase::Starting {
            child.phase = Phase::Up;
        }
    }

    fn start_failed(&mut self, now: Monotonic, place: u64) {
        let Some(child) = self.children.get_mut(&place) else { return };
        child.up_since = None;
        match child.phase {
            Phase::Starting if child.is_new => self.forget(place),
            Phase::Starting if child.restart == Restart::Temporary => self.retire(place),
            Phase::Starting => self.failed(now, place),
            Phase::Condemned | Phase::Stopping => self.laid_down(place),
            _ => {}
        }
    }

    fn ended(&mut self, now: Monotonic, place: u64, exit: Exit) {
        let Some(child) = self.children.get_mut(&place) else { return };
        match (child.phase, child.restart, exit) {
            (Phase::Condemned | Phase::Stopping, _, _) => self.laid_down(place),
            (Phase::Up, Restart::Temporary, _) => self.retire(place),
            (Phase::Up, Restart::Transient, Exit::Normal) => self.retire(place),
            (Phase::Up, _, _) => self.failed(now, place),
            _ => {}
        }
    }

    fn elapsed(&mut self, place: u64) {
        if self.phase(place) == Some(Phase::Waiting) {
            self.lies_down(place);
        }
    }

    fn remove(&mut self, place: u64) {
        let Some(child) = self.children.get_mut(&place) else { return };
        child.is_leaving = true;
        match child.phase {
            Phase::Stopping => {}
            phase if phase.is_alive() => self.stop(place),
            _ => self.forget(place),
        }
    }

    /// The child ended and must come back: count it, and decide for its siblings.
    fn failed(&mut self, now: Monotonic, place: u64) {
        let Some(child) = self.children.get_mut(&place) else { return };
        let failures = child.count_failure(now);
        if child.quarantine_after.is_some_and(|limit| failures >= limit) {
            child.phase = Phase::Quarantined;
            return self.effects.push(Effect::Quarantine(place));
        }
        if child.quarantine_after.is_none() && !self.window.allows(now) {
            self.has_escalated = true;
            return self.effects.push(Effect::Escalate(place));
        }
        child.phase = Phase::Waiting;
        self.effects.push(Effect::Wait(place, child.backoff.delay(failures)));
        self.condemn_with(place);
    }

    fn condemn_with(&mut self, failed: u64) {
        if self.strategy == Strategy::OneForOne {
            return;
        }
        for (place, child) in &mut self.children {
            if *place == failed || !self.strategy.takes_down(failed, *place) {
                continue;
            }
            match child.phase {
                Phase::Up | Phase::Starting => child.phase = Phase::Condemned,
                // What it did, it did for siblings that are gone now.
                Phase::Finished if child.restart == Restart::Transient => child.phase = Phase::Down,
                _ => {}
            }
        }
    }

    /// A child that was to be stopped is gone.
    fn laid_down(&mut self, place: u64) {
        let Some(child) = self.children.get_mut(&place) else { return };
        child.up_since = None;
        match child.restart {
            _ if child.is_leaving => self.forget(place),
            Restart::Temporary => self.retire(place),
            Restart::Permanent | Restart::Transient => self.lies_down(place),
        }
    }

    fn retire(&mut self, place: u64) {
        if self.forgets_the_ended {
            return self.forget(place);
        }
        if let Some(child) = self.children.get_mut(&place) {
            child.phase = Phase::Finished;
        }
    }

    fn forget(&mut self, place: u64) {
        self.children.remove(&place);
        self.effects.push(Effect::Forget(place));
    }

    fn stop(&mut self, place: u64) {
        if let Some(child) = self.children.get_mut(&place) {
            child.phase = Phase::Stopping;
            self.effects.push(Effect::Stop(place));
        }
    }

    fn start(&mut self, place: u64) {
        if let Some(child) = self.children.get_mut(&place) {
            child.phase = Phase::Starting;
            self.effects.push(Effect::Start(place));
        }
    }

    // Independent siblings wait for nobody: this spares the walk over all of
    // them, which with ten thousand connections would be most of the work.
    fn lies_down(&mut self, place: u64) {
        if let Some(child) = self.children.get_mut(&place) {
            child.phase = Phase::Down;
        }
        if self.strategy == Strategy::OneForOne {
            self.start(place);
        }
    }

    /// The next stop or start of a group whose members depend on each other.
    fn advance(&mut self) -> Vec<Effect> {
        if self.strategy != Strategy::OneForOne && !self.has_escalated {
            let is_ending = self.first_in(Phase::Stopping).is_some();
            let is_busy =
                self.first_in(Phase::Waiting).or(self.first_in(Phase::Starting)).is_some();
            match (self.last_in(Phase::Condemned), self.first_in(Phase::Down)) {
                (Some(condemned), _) if !is_ending => self.stop(condemned),
                (None, Some(down)) if !is_ending && !is_busy => self.start(down),
                _ => {}
            }
        }
        std::mem::take(&mut self.effects)
    }

    fn first_in(&self, phase: Phase) -> Option<u64> {
        self.children.iter().find(|(_, child)| child.phase == phase).map(|(place, _)| *place)
    }

    fn last_in(&self, phase: Phase) -> Option<u64> {
        self.children.iter().rfind(|(_, child)| child.phase == phase).map(|(place, _)| *place)
    }
}

impl Child {
    fn new(phase: Phase, spec: &ChildSpec) -> Child {
        Child {
            phase,
            restart: spec.restart,
            backoff: spec.backoff,
            quarantine_after: spec.quarantine_after,
            failures: 0,
            up_since: None,
            is_new: true,
            is_leaving: false,
        }
    }

    fn count_failure(&mut self, now: Monotonic) -> u32 {
        let up = self.up_since.take().map(|since| now.since(since));
        if up.is_some_and(|up| self.backoff.is_healthy_after(up)) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.failures
    }
}
