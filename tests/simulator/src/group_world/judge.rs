//! The judge of the group world. It sees requests arrive and answers leave, and what
//! clients read; it knows nothing of the machine.
//!
//! Its promises: **GROUP** in one generation a partition is given to one member, and a
//! generation is announced once, to the members that its leader was told of; **STUCK**
//! nobody waits longer than a rebalance and a session; **ZOMBIE** nobody commits for a
//! generation that is over, after it was put out, or after its instance was taken over;
//! **OFFSET** what is acknowledged is found, what is not durable or was refused is not,
//! and nothing goes back; **SKIP** no record is left out; **SPIN** the coordinator does
//! not go round in circles while time stands still.

mod offsets;
mod rounds;

use super::GroupTally;
use super::assignor::partitions;
use crate::judge::Verdict;
use offsets::Offsets;
use pyralog_env::Monotonic;
use pyralog_groups::{GroupError, Reply, Request};
use pyralog_model::LogNumber;
use rounds::Rounds;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest rebalance, session and stall of the log in these worlds, and a little.
const PATIENCE: Duration = Duration::from_secs(20 + 10 + 3 + 2);

/// More than clients could do at once.
const EVENTS_MAX: u32 = 1_000;

pub(super) struct Judge {
    open: BTreeMap<u64, Open>,
    rounds: Rounds,
    offsets: Offsets,
    /// Offsets up to which every record of a partition was read by somebody.
    read_to: Vec<i64>,
    noted: Verdict,
    /// The moment, and what has happened in it.
    moment: (Monotonic, u32),
}

/// A request that has arrived and is not answered.
struct Open {
    at: Monotonic,
    request: Request,
    /// Why it must not succeed.
    doom: Option<String>,
}

impl Judge {
    pub(super) fn new(partitions: u32) -> Judge {
        Judge {
            open: BTreeMap::new(),
            rounds: Rounds::default(),
            offsets: Offsets::default(),
            read_to: vec![0; partitions as usize],
            noted: Ok(()),
            moment: (Monotonic(0), 0),
        }
    }

    pub(super) fn arrives(&mut self, now: Monotonic, number: u64, request: &Request) {
        let doom = match request {
            Request::Commit(commit) => self.rounds.doom(commit),
            _ => None,
        };
        if let Request::Commit(commit) = request {
            self.offsets.asked(commit);
        }
        self.open.insert(number, Open { at: now, request: request.clone(), doom });
    }

    pub(super) fn answered(
        &mut self,
        number: u64,
        answer: &Result<Reply, GroupError>,
        tally: &mut GroupTally,
    ) -> Verdict {
        let open = self.open.remove(&number).ok_or("an answer without a question")?;
        count(answer, tally);
        match (&open.request, answer) {
            (Request::Join(join), Ok(Reply::Joined(joined))) => {
                let announced = self.rounds.joined(join.instance.as_deref(), joined)?;
                tally.generations += u64::from(announced);
                tally.returns += u64::from(join.member.is_empty() && !announced);
                Ok(())
            }
            (Request::Sync(sync), Ok(Reply::Synced(synced))) => {
                let who = sync.instance.as_ref().unwrap_or(&sync.member);
                self.rounds.synced(sync.generation, who, &partitions(&synced.assignment))
            }
            (Request::Commit(commit), Ok(Reply::Each(answers))) => {
                if answers.iter().any(Result::is_err) {
                    return Err("OFFSET: a part of a commit was refused".to_owned());
                }
                if let Some(doom) = open.doom {
                    return Err(format!("ZOMBIE: a commit was taken {doom}"));
                }
                self.rounds.commits(commit)?;
                tally.commits += 1;
                tally.gone += u64::from(self.offsets.is_gone(commit));
                self.offsets.acknowledged(commit)
            }
            (Request::Commit(commit), Err(error)) => {
                tally.refused_commits += u64::from(!matches!(error, GroupError::Unavailable(_)));
                self.offsets.refused(commit);
                self.rounds.refused(&commit.member, error);
                Ok(())
            }
            (Request::Fetch(fetch), Ok(Reply::Fetched(found))) => {
                tally.fetches += 1;
                self.offsets.found(&fetch.group, found)
            }
            (Request::Heartbeat(beat), Err(error)) => {
                self.rounds.refused(&beat.member, error);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The log of a group's offsets was deleted, and another has its name.
    pub(super) fn log_is_gone(&mut self, group: &str, log: &str, heir: LogNumber) {
        self.offsets.log_is_gone(group, log, heir);
    }

    /// Whoever waited is told by nobody, and what was on its way may be there.
    pub(super) fn crashed(&mut self) {
        self.open.clear();
        self.offsets.crashed();
        self.rounds.crashed();
    }

    pub(super) fn nobody_is_stuck(&self, now: Monotonic) -> Verdict {
        // Requests are numbered as they are sent; those that wait are few.
        let waits = |open: &&Open| now.since(open.at) > PATIENCE;
        match self.open.values().find(waits) {
            Some(open) => Err(format!("STUCK: unanswered for {PATIENCE:?}: {:?}", open.request)),
            None => Ok(()),
        }
    }

    /// Something happens.
    pub(super) fn happens(&mut self, now: Monotonic) -> Verdict {
        let (moment, events) = self.moment;
        self.moment = (now, if moment == now { events + 1 } else { 0 });
        match events > EVENTS_MAX {
            true => Err(format!("SPIN: {events} events within one moment")),
            false => Ok(()),
        }
    }

    /// A tick took so many timers, and so many were set as it began.
    pub(super) fn ticked(&self, set: u64, taken: u64) -> Verdict {
        match taken > set {
            true => Err(format!("SPIN: a tick took {taken} timers and {set} were set")),
            false => Ok(()),
        }
    }

    /// A client read `from..to` of a partition.
    pub(super) fn read(
        &mut self,
        partition: u32,
        from: i64,
        to: i64,
        tally: &mut GroupTally,
    ) -> Verdict {
        let read_to = &mut self.read_to[partition as usize];
        if from > *read_to {
            return Err(format!("SKIP: {partition} is read from {from}, but only to {read_to}"));
        }
        tally.read += (to - (*read_to).max(from)).max(0) as u64;
        tally.read_again += ((*read_to).min(to) - from) as u64;
        *read_to = (*read_to).max(to);
        Ok(())
    }

    /// A verdict from where none can be returned.
    pub(super) fn note(&mut self, verdict: Verdict) {
        if self.noted.is_ok() {
            self.noted = verdict;
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.noted.clone()
    }

    pub(super) fn everything_is_read(&self, partition: u32, end: i64) -> Verdict {
        let read_to = self.read_to[partition as usize];
        if read_to != end {
            return Err(format!("STUCK: {partition} is read to {read_to} of {end}"));
        }
        match self.offsets.of_readers(partition).unwrap_or(0) {
            committed if committed == end => Ok(()),
            committed => Err(format!("STUCK: {partition} is committed to {committed} of {end}")),
        }
    }
}

fn count(answer: &Result<Reply, GroupError>, tally: &mut GroupTally) {
    let count = match answer {
        Ok(Reply::Joined(_)) => &mut tally.joined,
        Ok(Reply::Synced(_)) => &mut tally.synced,
        Err(GroupError::FencedInstance) => &mut tally.fenced,
        Err(GroupError::UnknownMember) => &mut tally.unknown,
        Err(GroupError::IllegalGeneration) => &mut tally.old_generations,
        _ => return,
    };
    *count += 1;
}
