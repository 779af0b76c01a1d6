//! The coordinator with its journal and its paper, through all its lives.

use super::paper::Paper;
use super::{Event, GroupWorld, Letter, moment};
use crate::chance::Chance;
use crate::judge::Verdict;
use pyralog_env::Monotonic;
use pyralog_env::sim::SimEntropy;
use pyralog_groups::{
    Caller, Coordinator, Effect, EncodedRecord, GroupError, GroupLimits, GroupSettings, Input,
    Journal, Moment, Mutation,
};
use pyralog_model::LogNumber;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Broker {
    settings: Arc<GroupSettings>,
    mutation: Option<Mutation>,
    /// Counts its starts; events of an earlier life are void.
    pub(super) life: u64,
    pub(super) machine: Coordinator,
    journal: Journal,
    paper: Paper,
    in_flight: Option<Vec<EncodedRecord>>,
    caller_next: u64,
    alarm: Option<Monotonic>,
    /// The number that the loner's log had at the last look.
    pub(super) listed: Option<LogNumber>,
}

impl Broker {
    pub(super) fn new(chance: &Chance, mutation: Option<Mutation>, now: Moment) -> Broker {
        let limits = GroupLimits { checkpoint_bytes_min: 6_000, ..GroupLimits::default() };
        let settings = Arc::new(GroupSettings {
            initial_rebalance_delay: Duration::from_millis(chance.below(2) * 300),
            limits,
            ..GroupSettings::default()
        });
        let paper = Paper::default();
        let folded = paper.fold(None).expect("an empty log can be read");
        let entropy = Arc::new(SimEntropy::new(chance.next()));
        let machine = Coordinator::new(Arc::clone(&settings), entropy, folded.kept, now);
        Broker {
            journal: Journal::new(&settings.limits, 0).with_mutation(mutation),
            machine: machine.with_mutation(mutation),
            settings,
            mutation,
            life: 0,
            paper,
            in_flight: None,
            caller_next: 0,
            alarm: None,
            listed: None,
        }
    }

    /// A crash, and a start from what the log says.
    fn start_again(&mut self, chance: &Chance, now: Moment) -> Result<bool, String> {
        let in_flight = self.in_flight.take();
        let torn = in_flight.is_some_and(|records| self.paper.tear(chance, records));
        let folded = self.paper.fold(self.mutation)?;
        let entropy = Arc::new(SimEntropy::new(chance.next()));
        let settings = Arc::clone(&self.settings);
        self.journal = Journal::new(&settings.limits, folded.bytes).with_mutation(self.mutation);
        let machine = Coordinator::new(settings, entropy, folded.kept, now);
        self.machine = machine.with_mutation(self.mutation);
        self.life += 1;
        self.alarm = None;
        self.listed = None;
        Ok(torn)
    }
}

impl GroupWorld {
    /// A request reaches the coordinator.
    pub(super) fn arrives(&mut self, letter: Letter) -> Verdict {
        self.tally.requests += 1;
        let caller = Caller(self.broker.caller_next);
        self.broker.caller_next += 1;
        self.asked.insert(caller, (letter.sender, letter.number));
        self.judge.arrives(self.now, letter.number, &letter.request);
        self.step(Input::Request { caller, request: letter.request })
    }

    /// The append that is on its way is decided.
    pub(super) fn decided(&mut self, life: u64) -> Verdict {
        if life != self.broker.life {
            return Ok(());
        }
        let outcome = if self.is_quiet { 99 } else { self.chance.below(100) };
        if outcome == 0 {
            return self.crash();
        }
        let Some(records) = self.broker.in_flight.take() else { return Ok(()) };
        let stored = outcome > 6;
        let base = stored.then(|| self.broker.paper.append(records));
        let count = if stored { &mut self.tally.appends } else { &mut self.tally.refused_appends };
        *count += 1;
        let decided = self.broker.journal.appended(base);
        if let Some(before) = decided.trim {
            self.broker.paper.trim(before);
            self.tally.checkpoints += 1;
        }
        self.step(Input::Written { tokens: decided.tokens, stored: decided.stored })
    }

    pub(super) fn alarm(&mut self, life: u64) -> Verdict {
        if life != self.broker.life {
            return Ok(());
        }
        self.broker.alarm = None;
        let (set, before) = (self.broker.machine.timers(), self.broker.machine.timers_taken());
        self.step(Input::Tick)?;
        self.judge.ticked(set as u64, self.broker.machine.timers_taken() - before)
    }

    /// Nobody who waited is answered by the next life.
    pub(super) fn crash(&mut self) -> Verdict {
        self.tally.crashes += 1;
        let torn = self.broker.start_again(&self.chance, moment(self.now))?;
        self.tally.torn += u64::from(torn);
        self.judge.crashed();
        for (sender, number) in std::mem::take(&mut self.asked).into_values() {
            let away = pyralog_model::ApiError::unavailable("the coordinator");
            self.send_back(sender, number, Err(GroupError::Unavailable(away)));
        }
        let (life, look) = (self.broker.life, self.millis(20));
        self.after(look, Event::LogsChanged { life });
        self.go_on();
        Ok(())
    }

    pub(super) fn step(&mut self, input: Input) -> Verdict {
        let mut effects = Vec::new();
        self.broker.machine.step(moment(self.now), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Write { token, records } => self.broker.journal.push(token, &records),
                Effect::Reply { caller, answer } => {
                    let (sender, number) =
                        self.asked.remove(&caller).ok_or("a caller was answered twice")?;
                    let answer = self.shown(answer);
                    self.judge.answered(number, &answer, &mut self.tally)?;
                    self.send_back(sender, number, answer);
                }
            }
        }
        self.go_on();
        Ok(())
    }

    /// Appends what waits, and sets the alarm.
    fn go_on(&mut self) {
        let life = self.broker.life;
        if let Some(records) = self.broker.journal.next(self.broker.machine.kept()) {
            self.broker.in_flight = Some(records);
            let slow = !self.is_quiet && self.chance.percent(5);
            let latency = self.millis(if slow { 3_000 } else { 20 });
            self.after(latency, Event::Decided { life });
        }
        let Some(next) = self.broker.machine.next_deadline() else { return };
        if self.broker.alarm.is_none_or(|alarm| next < alarm) {
            self.broker.alarm = Some(next);
            self.at(next.max(self.now), Event::Alarm { life });
        }
    }
}
