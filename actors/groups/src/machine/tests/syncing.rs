//! Syncing: who gets what, when, and what comes too early or too late.

use super::*;

#[test]
fn followers_wait_for_the_leader_and_whom_it_forgot_gets_nothing() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let two = bench.ask(Request::Join(join("")));
    let one = bench.ask(Request::Join(join(&one.member)));
    let (one, two) = (bench.joined(one), bench.joined(two));
    let waiting = bench.ask(sync(&two, &[]));
    assert!(bench.waits(waiting));
    assert_eq!(bench.beat(&two), Ok(()), "it may send heartbeats meanwhile");
    assert_eq!(bench.sync(&one, &[(one.member.as_str(), "a")]), Ok("a".into()));
    assert_eq!(bench.synced(waiting), Ok(String::new()));
    assert_eq!(bench.state("g"), GroupState::Stable);
    assert_eq!(bench.sync(&two, &[]), Ok(String::new()), "asked again, answered again");
}

#[test]
fn an_assignment_of_another_generation_or_kind_is_refused() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let old = Joined { generation: 0, ..one.clone() };
    assert_eq!(bench.sync(&old, &[]), Err(GroupError::IllegalGeneration));
    let stranger = Joined { member: "who".into(), ..one.clone() };
    assert_eq!(bench.sync(&stranger, &[]), Err(GroupError::UnknownMember));
    let Request::Sync(right) = sync(&one, &[]) else { unreachable!() };
    let kind = SyncGroup { protocol_type: Some("connect".into()), ..right.clone() };
    assert_eq!(bench.now(Request::Sync(kind)), Err(GroupError::InconsistentProtocol));
    let assignor = SyncGroup { protocol: Some("sticky".into()), ..right.clone() };
    assert_eq!(bench.now(Request::Sync(assignor)), Err(GroupError::InconsistentProtocol));
    let nowhere = SyncGroup { group: "h".into(), ..right };
    assert_eq!(bench.now(Request::Sync(nowhere)), Err(GroupError::UnknownMember));
}

#[test]
fn a_rebalance_sends_those_who_wait_for_the_leader_back_to_join() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let two = bench.ask(Request::Join(join("")));
    let one = bench.ask(Request::Join(join(&one.member)));
    let (one, two) = (bench.joined(one), bench.joined(two));
    let waiting = bench.ask(sync(&two, &[]));
    bench.ask(Request::Join(join("")));
    assert_eq!(bench.synced(waiting), Err(GroupError::RebalanceInProgress));
    assert_eq!(bench.sync(&one, &[]), Err(GroupError::RebalanceInProgress));
}

#[test]
fn who_does_not_ask_for_its_assignment_in_time_is_out() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let two = bench.ask(Request::Join(join("")));
    let one = bench.ask(Request::Join(join(&one.member)));
    let (one, two) = (bench.joined(one), bench.joined(two));
    let waiting = bench.ask(sync(&two, &[]));
    for _ in 0..11 {
        bench.pass(SESSION / 2);
        // The leader lives, and says nothing.
        assert_eq!(bench.beat(&one), Ok(()));
        assert!(bench.waits(waiting));
    }
    bench.pass(SESSION / 2);
    assert_eq!(bench.synced(waiting), Err(GroupError::RebalanceInProgress));
    assert_eq!(bench.beat(&one), Err(GroupError::UnknownMember));
    let two = bench.ask(Request::Join(join(&two.member)));
    let two = bench.joined(two);
    assert_eq!(two.leader, two.member);
}

#[test]
fn a_generation_is_assigned_once() {
    let mut bench = Bench::new();
    let one = bench.ask(Request::Join(join("")));
    let one = bench.joined(one);
    bench.writes_through = false;
    let first = bench.ask(sync(&one, &[(one.member.as_str(), "first")]));
    let second = bench.ask(sync(&one, &[(one.member.as_str(), "second")]));
    assert_eq!(bench.synced(first), Err(GroupError::RebalanceInProgress), "it asked again");
    bench.settle(true);
    assert_eq!(bench.synced(second), Ok("first".into()));
    bench.restart();
    assert_eq!(bench.sync(&one, &[]), Ok("first".into()));
}

#[test]
fn an_assignment_beyond_the_bounds_is_refused() {
    let limits = GroupLimits { group_bytes_max: 100, ..GroupLimits::default() };
    let mut bench = Bench::with_limits(limits);
    let one = bench.ask(Request::Join(join("")));
    let one = bench.joined(one);
    let large = "x".repeat(101);
    assert_eq!(bench.sync(&one, &[(one.member.as_str(), &large)]), Err(GroupError::Full));
}
