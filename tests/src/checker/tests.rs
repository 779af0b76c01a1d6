//! Planted anomalies: a judge that has never found anything proves nothing.

use super::{Anomaly, History, check};

/// `a`, `b` and `d` were acknowledged, nobody knows about `c`.
fn history() -> History {
    let sent = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    History { sent, acknowledged: vec![(0, 0), (1, 1), (3, 3)] }
}

fn checked(values: &[&str]) -> Vec<Anomaly> {
    let read: Vec<_> = (0..).zip(values.iter().map(|value| (*value).to_owned())).collect();
    check(&history(), &read)
}

#[test]
fn a_good_run_is_good() {
    assert_eq!(checked(&["a", "b", "c", "d"]), []);
    let mut unknown_absent = history();
    unknown_absent.acknowledged.pop();
    assert_eq!(check(&unknown_absent, &[(0, "a".into()), (1, "b".into())]), []);
}

#[test]
fn a_lost_value_is_caught() {
    assert_eq!(checked(&["a", "b", "c"]), [Anomaly::Lost { value: "d".into(), offset: 3 }]);
}

#[test]
fn a_moved_value_is_caught() {
    let moved = Anomaly::Moved { value: "d".into(), acknowledged: 3, found: 2 };
    assert_eq!(checked(&["a", "b", "d"]), [moved]);
}

#[test]
fn a_duplicate_is_caught() {
    assert!(
        checked(&["a", "b", "c", "d", "c"]).contains(&Anomaly::Duplicate { value: "c".into() })
    );
}

#[test]
fn a_phantom_is_caught() {
    assert_eq!(checked(&["a", "b", "c", "d", "x"]), [Anomaly::Phantom { value: "x".into() }]);
}

#[test]
fn a_reordering_is_caught() {
    let mut history = history();
    history.acknowledged.clear();
    let read = [(0, "b".to_owned()), (1, "a".to_owned())];
    assert_eq!(check(&history, &read), [Anomaly::Reordered { value: "a".into() }]);
}

#[test]
fn offsets_that_repeat_or_skip_are_caught() {
    let mut history = history();
    history.acknowledged.clear();
    for (second, found) in [(0, 0), (2, 2)] {
        let read = [(0, "a".to_owned()), (second, "b".to_owned())];
        assert_eq!(check(&history, &read), [Anomaly::Offsets { expected: 1, found }]);
    }
}
