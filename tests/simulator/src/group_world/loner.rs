//! A client without a group: it commits ever greater offsets to a group of its own and
//! asks for them at any time, so that every commit that is acknowledged, refused or
//! unknown is looked for.
//!
//! Its log is its own as well, and is deleted and made again under its name now and
//! then. The coordinator hears of that a little later; what was committed before is not
//! the new log's.

use super::{Event, GroupWorld, Sender};
use crate::judge::Verdict;
use pyralog_groups::{
    CommitOffsets, CommittedOffset, FetchOffsets, GroupError, Input, OffsetToCommit, Reply,
    Request, TopicPartition,
};
use pyralog_model::LogNumber;
use std::time::Duration;

/// The group that has no members.
pub(super) const ALONE: &str = "alone";
/// The log that comes and goes.
pub(super) const DIARY: &str = "diary";

#[derive(Debug)]
pub(super) struct Loner {
    offset: i64,
    /// The number of its log.
    pub(super) diary: LogNumber,
}

impl Default for Loner {
    fn default() -> Loner {
        Loner { offset: 0, diary: LogNumber(2) }
    }
}

fn diary() -> TopicPartition {
    TopicPartition { topic: DIARY.into(), partition: 0 }
}

impl GroupWorld {
    pub(super) fn wake_loner(&mut self) {
        let wait = Duration::from_millis(self.chance.below(400));
        self.after(wait, Event::WakeLoner);
        if self.chance.percent(60) {
            self.loner.offset += 1;
            let commit = self.commit_alone(self.letter_next);
            self.send(Sender::Loner, commit);
        }
        if self.chance.percent(60) {
            // All there is, or what must be there.
            let partitions = self.chance.percent(50).then(|| vec![diary()]);
            let fetch = FetchOffsets { group: ALONE.into(), partitions };
            self.send(Sender::Loner, Request::Fetch(fetch));
        }
    }

    fn commit_alone(&self, note: u64) -> Request {
        let Loner { offset, diary: log } = self.loner;
        let metadata = note.to_string();
        let one = OffsetToCommit {
            partition: diary(),
            log,
            committed: CommittedOffset { offset, leader_epoch: 0, metadata },
        };
        Request::Commit(CommitOffsets {
            group: ALONE.into(),
            generation: -1,
            member: String::new(),
            instance: None,
            offsets: vec![one],
        })
    }

    /// The log is deleted, and another of its name is made.
    pub(super) fn begin_another_diary(&mut self) {
        self.tally.heirs += 1;
        self.loner.diary.0 += 1;
        self.judge.log_is_gone(ALONE, DIARY, self.loner.diary);
        let late = self.millis(if self.chance.percent(50) { 20 } else { 2_000 });
        let life = self.broker.life;
        self.after(late, Event::LogsChanged { life });
    }

    /// The coordinator looks which logs there are.
    pub(super) fn logs_changed(&mut self, life: u64) -> Verdict {
        if life != self.broker.life {
            return Ok(());
        }
        let now = self.loner.diary;
        let before = self.broker.listed.replace(now);
        let stays = |number: Option<LogNumber>| number.or(before).is_none_or(|log| log == now);
        let topics = self.broker.machine.topics().into_iter();
        let gone = topics.filter(|(name, number)| *name == DIARY && !stays(*number));
        let gone = gone.map(|(name, number)| (name.to_owned(), number)).collect();
        self.step(Input::LogsGone(gone))
    }

    /// The door shows nothing of a log that is gone.
    pub(super) fn shown(&self, mut answer: Answer) -> Answer {
        if let Ok(Reply::Fetched(found)) = &mut answer {
            let of_diary = found.iter_mut().filter(|found| found.partition == diary());
            for found in of_diary {
                found.kept.take_if(|kept| !kept.is_of(Some(self.loner.diary)));
            }
        }
        answer
    }
}

type Answer = Result<Reply, GroupError>;
