//! Looking after one link from its opening to its end: the shell around the
//! detector.

use crate::detector::{Detector, DetectorSettings, Effect, Input};
use crate::link::Link;
use crate::links::Shared;
use crate::pulse::Standing;
use pyralog_env::Monotonic;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// From the end of the preamble until the session is ready.
const OPENING_PATIENCE: Duration = Duration::from_secs(5);

/// A link whose heartbeats find no router for so long is of no use.
const ROUTERLESS_MAX: u32 = 10;

/// A link that is forgotten when this is dropped, however that comes.
pub(crate) struct Attendance {
    pub link: Arc<Link>,
    shared: Arc<Shared>,
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.shared.table.forget(&self.link);
    }
}

impl Attendance {
    pub(crate) fn new(shared: Arc<Shared>, link: Arc<Link>) -> Attendance {
        Attendance { link, shared }
    }

    /// Waits until the session is ready; false when that took too long.
    pub(crate) async fn opened(&self) -> bool {
        let mut standing = self.link.pulse.watch();
        let ready = standing.wait_for(|standing| *standing != Standing::Opening);
        let ready = timeout(OPENING_PATIENCE, ready).await;
        matches!(ready, Ok(Ok(standing)) if *standing != Standing::Ended)
    }

    /// Attends until the link has ended.
    pub(crate) async fn attend(&self) {
        let pulse = &self.link.pulse;
        let settings = match self.link.dialled {
            true => DetectorSettings::DIALLER,
            false => DetectorSettings::ACCEPTOR,
        };
        let mut effects = Vec::new();
        let detector = Detector::new(settings, pulse.now(), &mut effects);
        let mut vigil =
            Vigil { attendance: self, detector, wake: pulse.now(), beat: None, routerless: 0 };
        loop {
            vigil.perform(&mut effects).await;
            let wait = vigil.wake.since(pulse.now());
            let suspected = vigil.detector.suspected();
            tokio::select! {
                () = pulse.ended() => return,
                () = sleep(wait) => (),
                () = pulse.sign(), if suspected => (),
            }
            let now = pulse.now();
            vigil.detector.step(now, Input::Heard(pulse.heard()), &mut effects);
            if now >= vigil.wake {
                vigil.detector.step(now, Input::Tick, &mut effects);
            }
        }
    }
}

struct Vigil<'a> {
    attendance: &'a Attendance,
    detector: Detector,
    wake: Monotonic,
    /// The heartbeat under way: there is never a second one.
    beat: Option<Beat>,
    routerless: u32,
}

/// A heartbeat's task, which does not outlive the vigil. It says whether
/// there was a router to ask.
struct Beat(JoinHandle<bool>);

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Vigil<'_> {
    async fn perform(&mut self, effects: &mut Vec<Effect>) {
        let link = &self.attendance.link;
        for effect in effects.drain(..) {
            match effect {
                Effect::WakeAt(wake) => self.wake = wake,
                Effect::Suspect => link.pulse.stand(Standing::Silent),
                Effect::Trust => link.pulse.stand(Standing::Up),
                Effect::SendHeartbeat => {
                    if self.beat.as_ref().is_some_and(|beat| !beat.0.is_finished()) {
                        continue;
                    }
                    if let Some(mut beat) = self.beat.take() {
                        let found = (&mut beat.0).await.unwrap_or(false);
                        self.routerless = if found { 0 } else { self.routerless + 1 };
                    }
                    if self.routerless >= ROUTERLESS_MAX {
                        link.pulse.close();
                    }
                    self.beat = Some(self.attendance.beat());
                }
            }
        }
    }
}

impl Attendance {
    fn beat(&self) -> Beat {
        let (link, me) = (self.link.clone(), self.shared.identity.get());
        Beat(tokio::spawn(async move { link.heartbeat(&me).await != Err(crate::CallError::Down) }))
    }
}
