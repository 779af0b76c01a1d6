//! Years of links in a simulated clock.

use super::*;
use proptest::prelude::*;

const SETTINGS: DetectorSettings = DetectorSettings::DIALLER;

fn at(ms: u64) -> Monotonic {
    Monotonic(ms * 1_000_000)
}

/// Runs a link whose peer is heard at the given moments, with punctual ticks,
/// and returns what happened when.
fn run(heard_ms: &[u64], until_ms: u64) -> Vec<(u64, Effect)> {
    let mut effects = Vec::new();
    let mut detector = Detector::new(SETTINGS, at(0), &mut effects);
    let mut wake = SETTINGS.heartbeat_after.as_millis() as u64;
    let mut log = Vec::new();
    let mut heard = heard_ms.iter().copied().peekable();
    effects.clear();
    loop {
        let (now, input) = match heard.peek() {
            Some(&ms) if ms <= wake => (ms, Input::Heard(at(ms))),
            _ => (wake, Input::Tick),
        };
        if now > until_ms {
            return log;
        }
        if input != Input::Tick {
            heard.next();
        }
        detector.step(at(now), input, &mut effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::WakeAt(moment) => {
                    assert!(moment > at(now), "it never asks to be woken at once");
                    wake = moment.0 / 1_000_000;
                }
                effect => log.push((now, effect)),
            }
        }
    }
}

#[test]
fn a_silent_peer_is_suspected_after_two_seconds_and_trusted_when_heard() {
    let log = run(&[100, 3_000], 3_400);
    let beats = |ms| (ms, Effect::SendHeartbeat);
    assert_eq!(
        log,
        [
            // The first tick was set before the byte at 100 came; it moves on.
            beats(600),
            beats(1_100),
            beats(1_600),
            (2_100, Effect::Suspect),
            beats(2_100),
            beats(2_600),
            (3_000, Effect::Trust),
        ]
    );
}

#[test]
fn a_talking_peer_is_never_asked() {
    let heard: Vec<u64> = (1..1_000).map(|n| n * 300).collect();
    assert_eq!(run(&heard, 299_000), []);
}

#[test]
fn a_process_that_slept_does_not_blame_the_peer() {
    let mut effects = Vec::new();
    let mut detector = Detector::new(SETTINGS, at(0), &mut effects);
    effects.clear();
    detector.step(at(60_000), Input::Tick, &mut effects);
    assert!(!effects.contains(&Effect::Suspect), "{effects:?}");
    assert!(effects.contains(&Effect::SendHeartbeat));
    // But it is asked, and blamed when it stays silent.
    for ms in [60_500, 61_000, 61_500] {
        detector.step(at(ms), Input::Tick, &mut effects);
    }
    assert!(detector.suspected());
}

#[test]
fn an_old_sign_of_life_is_no_news() {
    let mut effects = Vec::new();
    let mut detector = Detector::new(SETTINGS, at(1_000), &mut effects);
    for ms in [1_500, 2_000, 2_500, 3_000] {
        detector.step(at(ms), Input::Tick, &mut effects);
    }
    assert!(detector.suspected());
    detector.step(at(3_100), Input::Heard(at(900)), &mut effects);
    assert!(detector.suspected());
    detector.step(at(3_200), Input::Heard(at(9_000)), &mut effects);
    assert!(!detector.suspected(), "a time ahead counts as now");
}

proptest! {
    #[test]
    fn suspicion_is_exactly_two_seconds_of_silence(gaps in prop::collection::vec(1u64..5_000, 1..60)) {
        let mut heard = Vec::new();
        let mut moment = 0;
        for gap in &gaps {
            moment += gap;
            heard.push(moment);
        }
        let log = run(&heard, moment);
        let mut expected = Vec::new();
        let mut last = 0;
        for &ms in &heard {
            // Equal moments: the byte is taken before the tick.
            if ms - last > 2_000 {
                expected.push((last + 2_000, Effect::Suspect));
                expected.push((ms, Effect::Trust));
            }
            last = ms;
        }
        let changes: Vec<_> =
            log.iter().copied().filter(|(_, e)| *e != Effect::SendHeartbeat).collect();
        prop_assert_eq!(changes, expected);
        let beats = log.len() as u64 - log.iter().filter(|(_, e)| *e != Effect::SendHeartbeat).count() as u64;
        prop_assert!(beats <= moment / 500, "at most one heartbeat in half a second");
    }
}
