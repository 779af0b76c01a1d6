//! What happens when a write is decided.

use super::Coordinator;
use super::input::{Caller, Reply, Token};
use super::statics::Return;
use crate::mutation::Mutation;
use crate::protocol::GroupError;
use crate::record::Record;
use bytes::Bytes;
use pyralog_model::{ApiError, ErrorCode};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A write that is not decided yet.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) records: Arc<[Record]>,
    pub(super) then: Then,
}

/// What waits for a write.
#[derive(Debug)]
pub(super) enum Then {
    /// Nothing: what it says can be worked out again.
    Nothing,
    /// A generation is told to those who joined it.
    Announce { group: String },
    /// An assignment is told to those who wait for it.
    Assign { group: String, assignments: BTreeMap<String, Bytes> },
    /// A static member came back.
    Readmit { group: String, come_back: Return },
    /// Somebody is answered for each part.
    Commit { caller: Caller, answers: Vec<Result<(), GroupError>> },
    /// A group is erased; by somebody, or because its time was up.
    Erase { group: String, caller: Option<Caller> },
}

impl Coordinator {
    pub(super) fn written(&mut self, token: Token, stored: bool) {
        let Some(Write { records, then }) = self.desk.take_write(token) else { return };
        if stored {
            records.iter().for_each(|record| self.kept.apply(record));
        }
        match then {
            Then::Nothing => {}
            Then::Announce { group } => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.generation_written(&mut self.desk, token, stored);
                }
            }
            Then::Assign { group, assignments } => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.assignment_written(&mut self.desk, token, &assignments, stored);
                }
            }
            Then::Readmit { group, come_back } => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.readmit(&mut self.desk, come_back, stored);
                }
            }
            Then::Commit { caller, answers } => {
                if !stored && self.desk.has(Mutation::RefusedCommitWrittenLate) {
                    self.desk.write(records.to_vec(), Then::Nothing);
                }
                let answer = if stored { Ok(Reply::Each(answers)) } else { Err(not_written()) };
                self.desk.answer(caller, answer);
            }
            Then::Erase { group, caller } => self.erased(&group, caller, stored),
        }
        self.answer_fetches(token);
    }
}

/// The log refused; it may take the same a moment later.
pub(super) fn not_written() -> GroupError {
    let message = "the log of the groups could not be written; nothing is changed, try again";
    GroupError::Unavailable(ApiError::new(ErrorCode::Unavailable, message))
}
