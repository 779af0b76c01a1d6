//! How clients behave: when they wake, and what they make of answers.

use super::assignor::{assign, partitions};
use super::client::Doing;
use super::{Event, GroupWorld, Sender};
use crate::judge::Verdict;
use pyralog_env::Monotonic;
use pyralog_groups::{FoundOffset, GroupError, Joined, Reply, Synced};
use std::time::Duration;

/// How long a client waits for an answer that comes at once.
const PATIENCE: Duration = Duration::from_secs(5);

impl GroupWorld {
    pub(super) fn wake(&mut self, who: usize) -> Verdict {
        if !self.clients[who].alive {
            return Ok(());
        }
        let again = Duration::from_millis(500 + self.chance.below(1_000));
        self.after(again, Event::Wake(who));
        if self.clients[who].is_paused(self.now) {
            return Ok(());
        }
        self.give_up_waiting(who);
        match self.clients[who].doing {
            Doing::Resting(until) if until <= self.now => self.join_again(who),
            Doing::Reading => self.read_on(who)?,
            _ => {}
        }
        Ok(())
    }

    fn give_up_waiting(&mut self, who: usize) {
        let client = &mut self.clients[who];
        let Some((_, since)) = client.waits_for else { return };
        let long = match client.doing {
            Doing::Joining | Doing::Syncing => Duration::from_secs(30),
            _ => PATIENCE,
        };
        if self.now.since(since) > long {
            client.start_over(self.now, false);
        }
    }

    fn join_again(&mut self, who: usize) {
        let join = self.clients[who].join();
        self.ask(who, join, Doing::Joining);
    }

    fn ask(&mut self, who: usize, request: pyralog_groups::Request, doing: Doing) {
        let number = self.send(Sender::Client(who), request);
        let client = &mut self.clients[who];
        (client.doing, client.waits_for) = (doing, Some((number, self.now)));
    }

    /// Reads some records, and now and then commits; heartbeats go on all the time.
    fn read_on(&mut self, who: usize) -> Verdict {
        let busy = self.clients[who].is_busy(self.now);
        if !busy {
            self.process(who)?;
            if self.is_quiet || self.chance.percent(40) {
                self.commit(who);
            }
        }
        let beat = self.clients[who].heartbeat();
        let number = self.send(Sender::Client(who), beat);
        self.clients[who].beats.insert(number);
        if !busy && self.chance.percent(20) {
            self.commit(who);
        }
        if self.clients[who].must_join && !busy {
            self.revoke(who);
        }
        Ok(())
    }

    fn process(&mut self, who: usize) -> Verdict {
        let owned = self.clients[who].owned.clone();
        // In the quiet time it catches up.
        let stride = if self.is_quiet { 400 } else { 40 };
        for partition in owned {
            let end = self.ends[partition as usize];
            let Some(position) = self.clients[who].positions.get_mut(&partition) else { continue };
            let to = end.min(*position + 1 + self.chance.below(stride) as i64);
            if to > *position {
                self.judge.read(partition, *position, to, &mut self.tally)?;
                *position = to;
            }
        }
        Ok(())
    }

    fn commit(&mut self, who: usize) {
        if self.clients[who].positions.is_empty() {
            return;
        }
        let commit = self.clients[who].commit(self.letter_next);
        let number = self.send(Sender::Client(who), commit);
        self.clients[who].commits.insert(number);
    }

    /// Commits what it has and joins again.
    fn revoke(&mut self, who: usize) {
        self.commit(who);
        let client = &mut self.clients[who];
        client.start_over(self.now, false);
        self.join_again(who);
    }

    pub(super) fn answers(
        &mut self,
        sender: Sender,
        number: u64,
        answer: Result<Reply, GroupError>,
    ) -> Verdict {
        // The loner takes what it is told; the judge has seen it already.
        let Sender::Client(who) = sender else { return Ok(()) };
        let client = &mut self.clients[who];
        if !client.alive {
            return Ok(());
        }
        if client.is_paused(self.now) {
            // It will find the answer when it goes on.
            let at = client.paused_until;
            self.at(at, Event::Answers { sender, number, answer });
            return Ok(());
        }
        if client.beats.remove(&number) || client.commits.remove(&number) {
            if let Err(error) = answer {
                self.told_off(who, &error);
            }
            return Ok(());
        }
        if client.waits_for.is_none_or(|(waits_for, _)| waits_for != number) {
            return Ok(());
        }
        client.waits_for = None;
        match answer {
            Ok(Reply::Joined(joined)) => self.joined(who, joined),
            Ok(Reply::Synced(synced)) => self.synced(who, &synced),
            Ok(Reply::Fetched(found)) => self.fetched(who, &found),
            Ok(_) => {}
            Err(GroupError::MemberIdRequired(id)) => {
                self.clients[who].member = id;
                self.join_again(who);
            }
            Err(error) => self.turned_away(who, &error),
        }
        Ok(())
    }

    fn joined(&mut self, who: usize, joined: Joined) {
        let client = &mut self.clients[who];
        client.member = joined.member.clone();
        client.generation = joined.generation;
        let leads = joined.leader == joined.member && !joined.skip_assignment;
        let assignments = if leads { assign(&joined.members) } else { Vec::new() };
        let sync = self.clients[who].sync(assignments);
        self.ask(who, sync, Doing::Syncing);
    }

    fn synced(&mut self, who: usize, synced: &Synced) {
        self.clients[who].owned = partitions(&synced.assignment);
        let fetch = self.clients[who].fetch();
        self.ask(who, fetch, Doing::Fetching);
    }

    fn fetched(&mut self, who: usize, found: &[FoundOffset]) {
        let position = |found: &FoundOffset| {
            (found.partition.partition, found.kept.as_ref().map_or(0, |kept| kept.offset))
        };
        let client = &mut self.clients[who];
        client.positions = found.iter().map(position).collect();
        client.doing = Doing::Reading;
    }

    /// A heartbeat or a commit was refused.
    fn told_off(&mut self, who: usize, error: &GroupError) {
        let busy = self.clients[who].is_busy(self.now);
        match error {
            GroupError::RebalanceInProgress if busy => self.clients[who].must_join = true,
            GroupError::RebalanceInProgress if self.clients[who].doing == Doing::Reading => {
                self.revoke(who);
            }
            GroupError::Unavailable(_) | GroupError::Loading => {}
            error => self.turned_away(who, error),
        }
    }

    /// A client whose instance is another's ends, as real ones do. In the quiet time
    /// somebody starts it again: the other may have been a request that came late.
    fn end_fenced(&mut self, who: usize) {
        self.clients[who].alive = false;
        if self.is_quiet {
            self.arrive(self.clients[who].instance.clone());
        }
    }

    fn turned_away(&mut self, who: usize, error: &GroupError) {
        let soon: Monotonic = self.now + self.millis(1_000);
        let forgets = self.chance.percent(50);
        let client = &mut self.clients[who];
        match error {
            GroupError::FencedInstance => self.end_fenced(who),
            GroupError::UnknownMember => client.start_over(soon, true),
            GroupError::IllegalGeneration => client.start_over(soon, forgets),
            _ => client.start_over(soon, false),
        }
    }
}
