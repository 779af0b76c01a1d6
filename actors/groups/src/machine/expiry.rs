//! What time does: silent members go, rounds end, old offsets are forgotten.

use super::Coordinator;
use super::admin::forgotten;
use super::desk::Desk;
use super::durability::Then;
use super::group::Group;
use super::timers::Timer;
use crate::mutation::Mutation;
use crate::record::Record;

/// A tick that takes its own timers gives up after so many rounds, to be told of.
const ROUNDS_PLANTED: usize = 1_000;

impl Coordinator {
    /// Takes the timers that are due as it begins, and no other: one that is set to this
    /// moment meanwhile waits for the next tick. So every tick ends.
    pub(super) fn tick(&mut self) {
        self.take_due();
        if self.desk.has(Mutation::TickTakesItsOwn) {
            (0..ROUNDS_PLANTED).for_each(|_| self.take_due());
        }
    }

    fn take_due(&mut self) {
        for (at, timer) in self.desk.timers.due(self.desk.now.monotonic) {
            // Another timer of this tick may have called it off, or moved it.
            if self.desk.timers.take(at, &timer) {
                self.timers_taken += 1;
                self.due(timer);
            }
        }
    }

    fn due(&mut self, timer: Timer) {
        let desk = &mut self.desk;
        match timer {
            Timer::Session(group, member) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.session_due(desk, &member);
                }
            }
            Timer::Pending(group, member) => {
                if let Some(group) = self.groups.get_mut(&group)
                    && group.pending.remove(&member)
                {
                    group.try_complete_round(desk);
                }
            }
            Timer::Round(group) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.round_is_over(desk);
                }
            }
            Timer::Sync(group) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.syncs_are_over(desk);
                }
            }
            Timer::Retention => self.look_for_expired(),
        }
    }

    /// Offsets of groups that have been empty for long, and groups that have none.
    fn look_for_expired(&mut self) {
        self.desk.set_timer(Timer::Retention, self.desk.settings.retention_look);
        let idle = self.groups.values().filter(|group| group.is_idle());
        let idle: Vec<(String, i64)> = idle.map(|g| (g.name.clone(), g.since.0)).collect();
        for (name, since_ms) in idle {
            self.expire(&name, since_ms);
        }
    }

    fn expire(&mut self, name: &str, since_ms: i64) {
        if self.desk.last_write_about(name).is_some() {
            return;
        }
        let Some(entry) = self.kept.group(name) else {
            self.groups.remove(name);
            return;
        };
        let retention = self.desk.settings.offsets_retention.as_millis();
        let retention_ms = i64::try_from(retention).unwrap_or(i64::MAX);
        let oldest = self.desk.now.wall.0.saturating_sub(retention_ms);
        let expired = entry.offsets.iter().filter(|(_, kept)| kept.at_ms.max(since_ms) <= oldest);
        let expired: Vec<_> = expired.map(|(partition, _)| partition.clone()).collect();
        if expired.len() == entry.offsets.len() {
            return self.erase(name, None);
        }
        if !expired.is_empty() {
            let records: Vec<Record> = expired.into_iter().map(|p| forgotten(name, p)).collect();
            self.desk.write(records, Then::Nothing);
        }
    }
}

impl Group {
    /// Looks whether a member has been silent. One that waits for an answer cannot
    /// send heartbeats; but one that does not know its id yet waits only so long.
    fn session_due(&mut self, desk: &mut Desk, id: &str) {
        let Some(member) = self.members.get(id) else { return };
        let timer = || Timer::Session(self.name.clone(), id.to_owned());
        let now = desk.now.monotonic;
        if member.alive_until > now {
            return desk.timers.set(timer(), member.alive_until);
        }
        let waits = member.waits() && member.told;
        if waits || desk.has(Mutation::SilenceIgnored) {
            return desk.set_timer(timer(), member.session_timeout);
        }
        self.remove(desk, id);
        self.go_on_without(desk);
    }
}
