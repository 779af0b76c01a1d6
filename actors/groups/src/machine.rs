//! The coordinator of some groups, as a pure machine.
//!
//! ```text
//!           join            all joined, or time is up         the leader assigned
//!  Empty ─────────▶ Preparing ──────────────────▶ Completing ─────────────▶ Stable
//!    ▲                │  ▲                          │ join, leave, silence    │
//!    │ nobody joined  │  └──────────────────────────┴─────────────────────────┘
//!    └────────────────┘
//! ```
//!
//! It is told what happened and says what to do: answer a caller, write records. A
//! generation, an assignment and an offset are told to nobody before the records that
//! keep them are durable, so a coordinator that starts again has told nothing that
//! its log does not say.
//!
//! Two things hold what it knows. `kept` is the fold of the log; offsets are read from
//! there alone. The [`Group`]s are what is going on: who waits, who is silent, which
//! round it is. A write that is refused leaves `kept` as it was.

mod admin;
mod commits;
mod desk;
mod durability;
mod expiry;
mod group;
mod heartbeats;
mod input;
mod joining;
mod leaving;
mod loading;
mod member;
mod rounds;
mod statics;
mod subscription;
mod syncing;
#[cfg(test)]
mod tests;
mod timers;

use crate::kept::Kept;
use crate::protocol::{FetchOffsets, GroupError};
pub(crate) use admin::dead;
use desk::Desk;
use group::Group;
pub use input::{Caller, Effect, FoundOffset, Input, Moment, NamedLog, Reply, Request, Token};
use pyralog_env::Monotonic;
use std::collections::{BTreeMap, VecDeque};

/// The machine. Every call of [`Coordinator::step`] is one thing that happened.
#[derive(Debug)]
pub struct Coordinator {
    groups: BTreeMap<String, Group>,
    kept: Kept,
    /// Who waits for commits that were sent before, with the last of those.
    fetches: VecDeque<(Token, Caller, FetchOffsets)>,
    desk: Desk,
    /// Timers that ticks have taken, ever.
    timers_taken: u64,
}

impl Coordinator {
    /// Takes one thing that happened in, and appends what follows to `effects`.
    pub fn step(&mut self, now: Moment, input: Input, effects: &mut Vec<Effect>) {
        self.desk.now = now;
        std::mem::swap(effects, &mut self.desk.effects);
        match input {
            Input::Request { caller, request } => self.request(caller, request),
            Input::Tick => self.tick(),
            Input::Written { tokens, stored } => {
                tokens.into_iter().for_each(|token| self.written(token, stored));
            }
            Input::LogsGone(logs) => self.forget_logs(&logs),
        }
        std::mem::swap(effects, &mut self.desk.effects);
    }

    /// When it wants to be ticked next.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.desk.timers.next()
    }

    /// Timers that are set. A tick takes no more than there were when it began.
    pub fn timers(&self) -> usize {
        self.desk.timers.len()
    }

    /// Timers that ticks have taken, ever.
    pub fn timers_taken(&self) -> u64 {
        self.timers_taken
    }

    /// What is durable.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Groups that it knows.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Members of all groups.
    pub fn members(&self) -> usize {
        self.groups.values().map(|group| group.members.len()).sum()
    }

    fn request(&mut self, caller: Caller, request: Request) {
        match request {
            Request::Join(join) => self.join(caller, join),
            Request::Sync(sync) => match self.groups.get_mut(&sync.group) {
                Some(group) => group.sync(&mut self.desk, caller, sync),
                None => self.desk.refuse(caller, GroupError::UnknownMember),
            },
            Request::Heartbeat(beat) => {
                let group = self.groups.get_mut(&beat.group);
                let beaten = group.ok_or(GroupError::UnknownMember);
                let beaten = beaten.and_then(|group| group.heartbeat(&self.desk, &beat));
                self.desk.answer(caller, beaten.map(|()| Reply::Done));
            }
            Request::Leave(leave) => self.leave(caller, leave),
            Request::Commit(commit) => self.commit(caller, commit),
            Request::Fetch(fetch) => self.fetch(caller, fetch),
            Request::List(states) => self.list(caller, &states),
            Request::Describe(group) => self.describe(caller, group),
            Request::Delete(group) => self.delete(caller, &group),
            Request::DeleteOffsets(group, partitions) => {
                self.delete_offsets(caller, &group, partitions);
            }
        }
    }
}
