//! What happens to clients, links and the coordinator while there is trouble.

use super::client::{Client, Doing};
use super::{Event, GroupWorld, Sender};
use std::time::Duration;

/// Clients that live at once.
const CLIENTS_MAX: usize = 4;

impl GroupWorld {
    pub(super) fn chaos(&mut self) {
        if self.is_quiet {
            return;
        }
        self.after(Duration::from_millis(self.chance.below(2_000)), Event::Chaos);
        for end in &mut self.ends {
            *end += self.chance.below(30) as i64;
        }
        let living: Vec<usize> =
            (0..self.clients.len()).filter(|who| self.clients[*who].alive).collect();
        let Some(who) = self.chance.pick(&living) else { return self.arrive(None) };
        match self.chance.below(100) {
            0..8 if living.len() < CLIENTS_MAX => self.arrive(None),
            8..12 => self.die(who),
            12..15 => self.depart(who),
            15..22 => self.pause(who),
            22..28 => self.be_busy(who),
            28..34 => self.stall(who),
            34..38 => self.take_over(who),
            38..42 => self.begin_another_diary(),
            42..44 => {
                // A verdict about the log would be the same in the next crash.
                let crashed = self.crash();
                self.judge.note(crashed);
            }
            _ => {}
        }
    }

    /// A new client; half of them are static.
    pub(super) fn arrive(&mut self, instance: Option<String>) {
        self.tally.arrivals += 1;
        let instance = instance.or_else(|| {
            let known: Vec<&String> = self.instances.iter().collect();
            match self.chance.below(4) {
                0 => Some(format!("instance-{}", self.clients.len())),
                1 => self.chance.pick(&known).cloned(),
                _ => None,
            }
        });
        self.instances.extend(instance.clone());
        // Whoever lives under this name is in for a surprise.
        self.clients.push(Client::new(&self.chance, instance, self.now));
        self.after(Duration::ZERO, Event::Wake(self.clients.len() - 1));
    }

    /// Often somebody starts it again, under its instance if it has one.
    fn die(&mut self, who: usize) {
        self.tally.deaths += 1;
        self.clients[who].alive = false;
        if self.chance.percent(70) {
            self.arrive(self.clients[who].instance.clone());
        }
    }

    fn depart(&mut self, who: usize) {
        self.tally.leaves += 1;
        if self.clients[who].doing == Doing::Reading {
            let leave = self.clients[who].leave();
            self.send(Sender::Client(who), leave);
        }
        self.clients[who].alive = false;
    }

    fn pause(&mut self, who: usize) {
        let pause = self.some_seconds();
        self.clients[who].paused_until = self.now + pause;
    }

    fn be_busy(&mut self, who: usize) {
        self.tally.busy += 1;
        self.clients[who].busy_until = self.now + self.some_seconds() * 2;
    }

    fn stall(&mut self, who: usize) {
        self.tally.stalls += 1;
        let free_at = self.now + self.some_seconds();
        let link = self.links.entry(who).or_default();
        link.free_at = link.free_at.max(free_at);
    }

    /// Another process comes up with the instance of one that lives.
    fn take_over(&mut self, who: usize) {
        if let Some(instance) = self.clients[who].instance.clone() {
            self.tally.take_overs += 1;
            self.arrive(Some(instance));
        }
    }

    fn some_seconds(&self) -> Duration {
        let most = [2_000, 12_000, 30_000][self.chance.below(3) as usize];
        Duration::from_millis(self.chance.below(most))
    }
}
