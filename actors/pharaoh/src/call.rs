//! One question, from its asking to its answer: who is asked, when the next one
//! is asked as well, when it is given up. Pure: `step` is told the time and what
//! happened, and says what to do.
//!
//! ```text
//!              30 ms without an answer, or a failure
//!   best ───────────────────────────────────────────▶ next best ─▶ …
//!     │ answer: finished; who was overtaken is asked last for a while
//!     └ all of them failed: pause, and another round, until the deadline
//! ```

use crate::endpoints::Endpoints;
use pyralog_env::Monotonic;
use std::time::Duration;

/// How long the best endpoint is alone with a question that any may answer.
const HEDGE_AFTER: Duration = Duration::from_millis(30);
/// The pause after a round in which everybody failed, and the longest one.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// How a question may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// By several at once: any of them may answer, and twice does no harm.
    Hedged,
    /// By one after the other: the leader answers, and twice does no harm. The
    /// next one is asked after this long without an answer.
    InTurn(Duration),
    /// By one, and by another only if the first has surely not carried it out.
    Once,
}

/// What came back from one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// An answer, good or bad: the question is settled.
    Answer,
    /// It lives and sends us away: busy, or not the leader.
    Elsewhere,
    /// It does not serve, and has surely not carried it out.
    NotDone,
    /// Nothing came back; whether it was carried out is not known.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallInput {
    Begin,
    Heard { place: usize, news: News },
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallEffect {
    /// Ask this endpoint.
    Send(usize),
    /// Take what this endpoint has answered.
    Finish(usize),
    /// None has answered.
    GiveUp,
    /// It was asked and may or may not have been carried out.
    GiveUpUnknown,
}

/// One question.
#[derive(Debug)]
pub(crate) struct Call {
    manner: Manner,
    patience: Duration,
    deadline: Monotonic,
    wake_at: Monotonic,
    /// Asked and not heard from.
    waiting: Vec<(usize, Monotonic)>,
    /// Asked in this round.
    tried: Vec<usize>,
    rounds: u32,
    /// Between two rounds.
    pausing: bool,
}

impl Call {
    pub(crate) fn new(manner: Manner, now: Monotonic, patience: Duration) -> Call {
        let deadline = now + patience;
        Call {
            manner,
            patience,
            deadline,
            wake_at: deadline,
            waiting: Vec::new(),
            tried: Vec::new(),
            rounds: 0,
            pausing: false,
        }
    }

    /// When a `Tick` is due.
    pub(crate) fn wake_at(&self) -> Monotonic {
        self.wake_at.min(self.deadline)
    }

    pub(crate) fn step(
        &mut self,
        now: Monotonic,
        input: CallInput,
        endpoints: &mut Endpoints,
        effects: &mut Vec<CallEffect>,
    ) {
        match input {
            CallInput::Begin => self.ask_next(now, endpoints, effects),
            CallInput::Heard { place, news } => self.hear(now, place, news, endpoints, effects),
            CallInput::Tick if now >= self.deadline => self.give_up(now, endpoints, effects),
            CallInput::Tick if now >= self.wake_at => self.ask_next(now, endpoints, effects),
            CallInput::Tick => {}
        }
    }

    fn hear(
        &mut self,
        now: Monotonic,
        place: usize,
        news: News,
        endpoints: &mut Endpoints,
        effects: &mut Vec<CallEffect>,
    ) {
        self.waiting.retain(|(waiting, _)| *waiting != place);
        match news {
            News::Answer => {
                endpoints.answered(place);
                for (slow, since) in &self.waiting {
                    if now.since(*since) >= HEDGE_AFTER {
                        endpoints.overtaken(*slow, now);
                    }
                }
                effects.push(CallEffect::Finish(place));
                return;
            }
            News::Elsewhere => endpoints.answered(place),
            News::NotDone | News::Unknown => endpoints.failed(place, now),
        }
        if news == News::Unknown && self.manner == Manner::Once {
            effects.push(CallEffect::GiveUpUnknown);
        } else {
            self.ask_next(now, endpoints, effects);
        }
    }

    fn ask_next(&mut self, now: Monotonic, endpoints: &Endpoints, effects: &mut Vec<CallEffect>) {
        if std::mem::take(&mut self.pausing) {
            self.tried.clear();
        }
        if let Some(place) = endpoints.best(now, &self.tried) {
            self.tried.push(place);
            self.waiting.push((place, now));
            self.wake_at = match self.manner {
                Manner::Hedged => now + HEDGE_AFTER,
                Manner::InTurn(after) => now + after,
                Manner::Once => self.deadline,
            };
            effects.push(CallEffect::Send(place));
        } else if self.waiting.is_empty() {
            self.pause(now, endpoints, effects);
        } else {
            self.wake_at = self.deadline;
        }
    }

    /// Everybody failed. An outage longer than anybody's patience is not waited
    /// for again by each of them.
    fn pause(&mut self, now: Monotonic, endpoints: &Endpoints, effects: &mut Vec<CallEffect>) {
        let away = endpoints.away_since().map(|since| now.since(since));
        if away.is_some_and(|away| away > self.patience) {
            effects.push(CallEffect::GiveUp);
            return;
        }
        let pause = PAUSE_FIRST.saturating_mul(1 << self.rounds.min(10)).min(PAUSE_MAX);
        self.rounds += 1;
        self.pausing = true;
        self.wake_at = now + pause;
    }

    fn give_up(
        &mut self,
        now: Monotonic,
        endpoints: &mut Endpoints,
        effects: &mut Vec<CallEffect>,
    ) {
        let unknown = self.manner == Manner::Once && !self.waiting.is_empty();
        for (place, _) in self.waiting.drain(..) {
            endpoints.failed(place, now);
        }
        effects.push(if unknown { CallEffect::GiveUpUnknown } else { CallEffect::GiveUp });
    }
}

#[cfg(test)]
mod tests;
