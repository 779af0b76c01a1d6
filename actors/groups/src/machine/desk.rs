//! What a group needs besides itself: the time, the settings, a pen and a clock.

use super::durability::{Then, Write};
use super::input::{Caller, Effect, Moment, Reply, Token};
use super::timers::{Timer, Timers};
use crate::mutation::{Mutation, Planted};
use crate::protocol::GroupError;
use crate::record::Record;
use crate::settings::GroupSettings;
use pyralog_env::Entropy;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What all groups of a coordinator share.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) now: Moment,
    pub(super) settings: Arc<GroupSettings>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) timers: Timers,
    /// Writes that are not decided yet, in order.
    pub(super) writes: BTreeMap<Token, Write>,
    /// The number of their records.
    pub(super) records_on_their_way: usize,
    pub(super) token_next: u64,
    pub(super) effects: Vec<Effect>,
    pub(super) planted: Planted,
}

impl Desk {
    pub(super) fn answer(&mut self, caller: Caller, answer: Result<Reply, GroupError>) {
        self.effects.push(Effect::Reply { caller, answer });
    }

    pub(super) fn refuse(&mut self, caller: Caller, error: GroupError) {
        self.answer(caller, Err(error));
    }

    /// Writes records down; `then` happens when they are durable, or refused.
    pub(super) fn write(&mut self, records: Vec<Record>, then: Then) -> Token {
        let token = Token(self.token_next);
        self.token_next += 1;
        let records: Arc<[Record]> = records.into();
        self.records_on_their_way += records.len();
        self.writes.insert(token, Write { records: Arc::clone(&records), then });
        self.effects.push(Effect::Write { token, records });
        token
    }

    /// The write that is decided.
    pub(super) fn take_write(&mut self, token: Token) -> Option<Write> {
        let write = self.writes.remove(&token)?;
        self.records_on_their_way -= write.records.len();
        Some(write)
    }

    /// Records that are on their way, in order.
    pub(super) fn on_their_way(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.writes.values().flat_map(|write| write.records.iter())
    }

    /// The last write that is on its way and about a group, if there is one.
    pub(super) fn last_write_about(&self, wanted: &str) -> Option<Token> {
        let about = |record: &Record| match record {
            Record::Group { group, .. } | Record::Offset { group, .. } => group == wanted,
            Record::CheckpointBegins | Record::CheckpointEnds { .. } => false,
        };
        let mut writes = self.writes.iter().rev();
        writes.find(|(_, write)| write.records.iter().any(about)).map(|(token, _)| *token)
    }

    pub(super) fn set_timer(&mut self, timer: Timer, after: Duration) {
        self.timers.set(timer, self.now.monotonic + after);
    }

    /// True if this bug is planted.
    pub(super) fn has(&self, mutation: Mutation) -> bool {
        self.planted.is(mutation)
    }
}
