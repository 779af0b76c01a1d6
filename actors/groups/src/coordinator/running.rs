//! A coordinator whose log is read: the machine, its journal, and those who wait.

use super::{Ask, CoordinatorArguments, CoordinatorMessage};
use crate::journal::Journal;
use crate::kept::Folded;
use crate::log::{AppendError, GROUPS_LOG, Listed};
use crate::machine::{Caller, Coordinator, Effect, Input, Moment, Reply};
use crate::protocol::GroupError;
use crate::seat::overloaded;
use pyralog_env::{Clock, Monotonic};
use pyralog_model::{ApiError, LogNumber};
use ractor::ActorRef;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(super) struct Running {
    arguments: CoordinatorArguments,
    myself: ActorRef<CoordinatorMessage>,
    machine: Coordinator,
    journal: Journal,
    callers: HashMap<Caller, oneshot::Sender<Result<Reply, GroupError>>>,
    caller_next: u64,
    /// The logs that there were at the last look.
    listed: Listed,
    alarm: Option<Alarm>,
}

/// When the actor wakes itself up.
struct Alarm {
    at: Monotonic,
    task: JoinHandle<()>,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    pub(super) fn new(
        arguments: &CoordinatorArguments,
        folded: Folded,
        myself: ActorRef<CoordinatorMessage>,
    ) -> Running {
        let (settings, entropy) = (&arguments.settings, &arguments.entropy);
        let Folded { kept, bytes } = folded;
        let now = moment(&*arguments.clock);
        let machine = Coordinator::new(Arc::clone(settings), Arc::clone(entropy), kept, now);
        let mut running = Running {
            arguments: arguments.clone(),
            myself,
            machine,
            journal: Journal::new(&settings.limits, bytes),
            callers: HashMap::new(),
            caller_next: 0,
            listed: Listed::default(),
            alarm: None,
        };
        running.go_on();
        running
    }

    pub(super) fn ask(&mut self, ask: Ask) {
        if ask.request.writes() && self.journal.is_full() {
            // Whoever asked may have gone.
            let _ = ask.reply.send(Err(overloaded()));
            return;
        }
        let caller = Caller(self.caller_next);
        self.caller_next += 1;
        self.callers.insert(caller, ask.reply);
        self.step(Input::Request { caller, request: ask.request });
        self.go_on();
    }

    pub(super) fn tick(&mut self) {
        self.alarm = None;
        self.step(Input::Tick);
        self.go_on();
    }

    /// # Errors
    /// It is not known what the log has: the actor ends, and the next one reads it.
    pub(super) fn appended(&mut self, appended: Result<u64, AppendError>) -> Result<(), ApiError> {
        let base = match appended {
            Ok(base) => Some(base),
            Err(AppendError::Refused(error)) => {
                self.arguments.vitals.failed(&error.to_string());
                None
            }
            Err(AppendError::Unknown(error)) => return Err(error),
        };
        let decided = self.journal.appended(base);
        self.step(Input::Written { tokens: decided.tokens, stored: decided.stored });
        if let Some(before) = decided.trim {
            self.trim(before);
        }
        self.go_on();
        Ok(())
    }

    /// Offsets of logs that are gone are forgotten; a log of the same name is another.
    pub(super) fn logs_changed(&mut self) {
        let logs = &self.arguments.logs;
        // A directory without the log of the groups says nothing about others.
        if logs.number(GROUPS_LOG).is_none() {
            return;
        }
        let listed = Arc::clone(&self.arguments.listed.borrow());
        let before = std::mem::replace(&mut self.listed, listed);
        let stays = |name: &str, number: Option<LogNumber>| {
            // The list may be older than a commit; what the directory says now is not.
            let now = logs.number(name);
            match number.or_else(|| before.get(name).copied()) {
                Some(number) => now == Some(number),
                None => now.is_some(),
            }
        };
        let gone = self.machine.topics().into_iter().filter(|(name, log)| !stays(name, *log));
        let gone: BTreeSet<_> = gone.map(|(name, log)| (name.to_owned(), log)).collect();
        if !gone.is_empty() {
            self.step(Input::LogsGone(gone));
            self.go_on();
        }
    }

    pub(super) fn describe(&self) {
        let detail = |name, value: usize| {
            self.arguments.vitals.set_detail(name, value.to_string());
        };
        detail("groups", self.machine.groups());
        detail("members", self.machine.members());
        detail("callers_waiting", self.callers.len());
        detail("state_bytes", self.machine.kept().bytes());
        self.arguments.vitals.set_detail("log_bytes", self.journal.log_bytes().to_string());
    }

    fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.step(moment(&*self.arguments.clock), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Write { token, records } => self.journal.push(token, &records),
                Effect::Reply { caller, answer } => {
                    if let Some(reply) = self.callers.remove(&caller) {
                        // Whoever asked may have gone.
                        let _ = reply.send(answer);
                    }
                }
            }
        }
    }

    /// Appends what waits, and sets the alarm.
    fn go_on(&mut self) {
        if let Some(records) = self.journal.next(self.machine.kept()) {
            let (log, pen) = (Arc::clone(&self.arguments.log), &self.arguments.seat.pen);
            let (pen, myself) = (Arc::clone(pen), self.myself.clone());
            let at = self.arguments.clock.wall();
            // The task goes on without the actor: what it appends must be decided.
            tokio::spawn(async move {
                let _pen = pen.lock().await;
                let appended = log.append(records, at).await;
                let _ = myself.cast(CoordinatorMessage::Appended(appended));
            });
        }
        self.set_alarm();
    }

    fn set_alarm(&mut self) {
        let Some(next) = self.machine.next_deadline() else { return };
        // One that rings too early finds nothing due and sets the next.
        if self.alarm.as_ref().is_some_and(|alarm| alarm.at <= next) {
            return;
        }
        let wait = next.since(self.arguments.clock.monotonic());
        let myself = self.myself.clone();
        let task = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = myself.cast(CoordinatorMessage::Tick);
        });
        self.alarm = Some(Alarm { at: next, task });
    }

    fn trim(&self, before: u64) {
        let (log, pen) = (Arc::clone(&self.arguments.log), &self.arguments.seat.pen);
        let (pen, vitals) = (Arc::clone(pen), self.arguments.vitals.clone());
        tokio::spawn(async move {
            let _pen = pen.lock().await;
            // The next checkpoint trims again.
            if let Err(error) = log.trim(before).await {
                vitals.failed(&error.to_string());
                tracing::warn!(before, %error, "the log of the groups was not trimmed");
            }
        });
    }
}

fn moment(clock: &dyn Clock) -> Moment {
    Moment { monotonic: clock.monotonic(), wall: clock.wall() }
}
