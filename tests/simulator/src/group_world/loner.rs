//! A client without a group: it commits ever greater offsets to a group of its own and
//! asks for them at any time, so that every commit that is acknowledged, refused or
//! unknown is looked for.

use super::client::to_commit;
use super::{Event, GroupWorld, Sender};
use pyralog_groups::{CommitOffsets, FetchOffsets, Request};
use std::time::Duration;

/// The group that has no members.
pub(super) const ALONE: &str = "alone";

#[derive(Debug, Default)]
pub(super) struct Loner {
    offset: i64,
}

impl GroupWorld {
    pub(super) fn wake_loner(&mut self) {
        let wait = Duration::from_millis(self.chance.below(400));
        self.after(wait, Event::WakeLoner);
        if self.chance.percent(60) {
            self.loner.offset += 1;
            let note = self.letter_next;
            let commit = CommitOffsets {
                group: ALONE.into(),
                generation: -1,
                member: String::new(),
                instance: None,
                offsets: vec![to_commit(0, self.loner.offset, note)],
            };
            self.send(Sender::Loner, Request::Commit(commit));
        }
        if self.chance.percent(60) {
            let fetch = FetchOffsets { group: ALONE.into(), partitions: None };
            self.send(Sender::Loner, Request::Fetch(fetch));
        }
    }
}
