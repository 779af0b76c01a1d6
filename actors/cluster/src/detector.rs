//! Whether a peer is alive, for one link: a pure machine.
//!
//! ```text
//!   bytes came ──▶ Heard ─┐
//!   it is time ──▶ Tick ──┴─▶ step ──▶ SendHeartbeat | Suspect | Trust | WakeAt
//! ```
//!
//! Any byte is a sign of life, so a busy link needs no heartbeats. A quiet one
//! asks; when nothing answers, the peer is suspected until it is heard again.
//! A tick that comes late means that this process slept, not the peer: the
//! silence is then measured from the waking.

use pyralog_env::Monotonic;
use std::time::Duration;

/// When what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetectorSettings {
    /// A heartbeat is sent after so much silence, and again after as much.
    pub heartbeat_after: Duration,
    /// The peer is suspected after so much silence.
    pub suspect_after: Duration,
}

impl DetectorSettings {
    /// For the side that dialled.
    pub const DIALLER: DetectorSettings = DetectorSettings {
        heartbeat_after: Duration::from_millis(500),
        suspect_after: Duration::from_secs(2),
    };

    /// For the side that accepted: it leaves the asking to the dialler, whose
    /// heartbeats it hears, and asks only when those stay away.
    pub const ACCEPTOR: DetectorSettings =
        DetectorSettings { heartbeat_after: Duration::from_secs(1), ..DetectorSettings::DIALLER };
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Something came from the peer at this moment, not later than now.
    Heard(Monotonic),
    /// The moment of the last `WakeAt` has come.
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send something that the peer answers.
    SendHeartbeat,
    /// The peer has become silent.
    Suspect,
    /// The silent peer was heard.
    Trust,
    /// Give a `Tick` at this moment. Replaces the last one.
    WakeAt(Monotonic),
}

/// The machine.
#[derive(Debug, Clone)]
pub struct Detector {
    settings: DetectorSettings,
    heard: Monotonic,
    asked: Option<Monotonic>,
    wake: Monotonic,
    suspected: bool,
}

impl Detector {
    /// A machine for a link that was opened, and so heard, at `now`.
    pub fn new(settings: DetectorSettings, now: Monotonic, effects: &mut Vec<Effect>) -> Detector {
        let wake = now + settings.heartbeat_after;
        effects.push(Effect::WakeAt(wake));
        Detector { settings, heard: now, asked: None, wake, suspected: false }
    }

    /// Whether the peer is suspected.
    pub fn suspected(&self) -> bool {
        self.suspected
    }

    /// Takes one input at `now`.
    pub fn step(&mut self, now: Monotonic, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Heard(at) => self.hear(at.min(now), effects),
            Input::Tick => self.tick(now, effects),
        }
    }

    fn hear(&mut self, at: Monotonic, effects: &mut Vec<Effect>) {
        if at <= self.heard {
            return;
        }
        self.heard = at;
        if std::mem::take(&mut self.suspected) {
            effects.push(Effect::Trust);
        }
    }

    fn tick(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        if !self.suspected && now.since(self.wake) > self.settings.heartbeat_after {
            // We overslept: whatever the peer sent meanwhile is still unread.
            self.heard = self.heard.max(self.wake);
            let slept_until = now - self.heard;
            self.heard = self.heard + slept_until.saturating_sub(self.settings.heartbeat_after);
        }
        if !self.suspected && now.since(self.heard) >= self.settings.suspect_after {
            self.suspected = true;
            effects.push(Effect::Suspect);
        }
        if now >= self.next_heartbeat() {
            self.asked = Some(now);
            effects.push(Effect::SendHeartbeat);
        }
        self.wake = self.next_heartbeat();
        if !self.suspected {
            self.wake = self.wake.min(self.heard + self.settings.suspect_after);
        }
        effects.push(Effect::WakeAt(self.wake));
    }

    fn next_heartbeat(&self) -> Monotonic {
        let last = self.asked.map_or(self.heard, |asked| asked.max(self.heard));
        last + self.settings.heartbeat_after
    }
}

#[cfg(test)]
mod tests;
