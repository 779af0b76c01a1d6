//! What time does to members and to offsets.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn a_silent_member_is_out_after_its_session() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    bench.pass(SESSION - Duration::from_secs(1));
    assert_eq!(bench.beat(&one), Ok(()));
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.beat(&two), Err(GroupError::UnknownMember));
    assert_eq!(bench.beat(&one), Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_group_whose_members_are_all_silent_is_empty() {
    let mut bench = Bench::new();
    bench.stable_two();
    bench.pass(SESSION);
    assert_eq!(bench.state("g"), GroupState::Empty);
    bench.restart();
    assert_eq!(bench.state("g"), GroupState::Empty);
}

#[test]
fn who_waits_for_others_is_not_silent() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    let waiting = bench.ask(Request::Join(join(&one.member)));
    for _ in 0..11 {
        bench.pass(SESSION / 2);
        assert_eq!(bench.beat(&two), Err(GroupError::RebalanceInProgress));
    }
    assert!(bench.waits(waiting), "50 s in a session of 10 s");
    bench.pass(SESSION);
    assert_eq!(bench.joined(waiting).members.len(), 1);
    assert_eq!(bench.beat(&two), Err(GroupError::UnknownMember));
}

#[test]
fn a_heartbeat_says_what_it_finds() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    assert_eq!(bench.beat(&one), Ok(()));
    let old = Joined { generation: 0, ..one.clone() };
    assert_eq!(bench.beat(&old), Err(GroupError::IllegalGeneration));
    let stranger = Joined { member: "who".into(), ..one.clone() };
    assert_eq!(bench.beat(&stranger), Err(GroupError::UnknownMember));
    let beat = Heartbeat { group: "h".into(), generation: 1, member: one.member, instance: None };
    assert_eq!(bench.now(Request::Heartbeat(beat)), Err(GroupError::UnknownMember));
}

#[test]
fn offsets_of_a_group_are_kept_for_a_week_after_its_last_member() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    bench.now(Request::Commit(commit(&one, 5))).unwrap();
    for _ in 0..8 * 24 * 60 * 12 {
        bench.pass(Duration::from_secs(5));
        assert_eq!(bench.beat(&one), Ok(()));
    }
    assert_eq!(bench.committed(), Some(5), "it has a member");
    bench.pass(DAY * 7);
    assert_eq!(bench.committed(), Some(5));
    bench.pass(Duration::from_secs(1_300));
    assert_eq!(bench.committed(), None);
    assert_eq!(bench.machine.groups(), 0);
    assert_eq!(bench.machine.kept(), &Kept::default());
}

#[test]
fn every_offset_of_a_client_without_a_group_has_its_own_week() {
    let mut bench = Bench::new();
    bench.now(Request::Commit(alone(1))).unwrap();
    bench.pass(DAY * 4);
    let mut other = alone(2);
    other.offsets[0].partition = partition("log", 1);
    bench.now(Request::Commit(other)).unwrap();
    bench.restart();
    bench.pass(DAY * 4);
    assert_eq!(bench.committed(), None);
    assert_eq!(bench.machine.kept().group("g").unwrap().offsets.len(), 1);
    bench.pass(DAY * 4);
    assert_eq!(bench.machine.groups(), 0);
}

#[test]
fn a_group_that_nobody_came_back_to_leaves_nothing() {
    let mut bench = Bench::new();
    let knows = JoinGroup { requires_known_member: true, ..join("") };
    bench.now(Request::Join(knows)).unwrap_err();
    assert_eq!(bench.machine.groups(), 1);
    bench.pass(Duration::from_secs(601));
    assert_eq!(bench.machine.groups(), 0);
    assert_eq!(bench.log, []);
}

/// Two static members of a stable group that give their group no time, one of which
/// leaves while the other is away.
fn left_alone(bench: &mut Bench, instances: [&str; 2]) -> Joined {
    let hasty = |member: &str, instance: &str| JoinGroup {
        instance: Some(instance.into()),
        rebalance_timeout: Duration::ZERO,
        ..join(member)
    };
    let [first, second] = instances;
    let one = bench.ask(Request::Join(hasty("", first)));
    let one = bench.joined(one);
    let two = bench.ask(Request::Join(hasty("", second)));
    let one = bench.ask(Request::Join(hasty(&one.member, first)));
    let (one, two) = (bench.joined(one), bench.joined(two));
    bench.sync(&one, &[]).unwrap();
    bench.sync(&two, &[]).unwrap();
    let leaving = Leaving { member: one.member, instance: Some(first.into()) };
    let leave = LeaveGroup { group: "g".into(), members: vec![leaving] };
    assert_eq!(bench.now(Request::Leave(leave)), Ok(Reply::Each(vec![Ok(())])));
    two
}

/// Ticks until a moment has passed; returns how many timers were taken.
fn taken_within(bench: &mut Bench, duration: Duration) -> u64 {
    let before = bench.machine.timers_taken();
    bench.pass(duration);
    bench.machine.timers_taken() - before
}

#[test]
fn a_group_that_is_given_no_time_waits_a_second_and_again() {
    let mut bench = Bench::new();
    left_alone(&mut bench, ["a", "b"]);
    assert_eq!(bench.state("g"), GroupState::PreparingRebalance);
    // A round each second, and at the end the session of the one that stayed.
    let taken = taken_within(&mut bench, SESSION);
    assert!((8..=13).contains(&taken), "{taken} timers in {SESSION:?}");
    assert_eq!(bench.state("g"), GroupState::Empty);
}

#[test]
fn a_group_that_was_kept_with_no_time_is_loaded_and_goes_on() {
    let mut bench = Bench::new();
    left_alone(&mut bench, ["a", "b"]);
    bench.restart();
    let Some(Record::Group { kept: Some(kept), .. }) =
        bench.log.iter().rfind(|record| matches!(record, Record::Group { .. }))
    else {
        panic!("a group is kept")
    };
    assert!(kept.members.iter().all(|member| member.rebalance_timeout_ms == 0));
    let taken = taken_within(&mut bench, SESSION * 2);
    assert!(taken < 30, "{taken} timers in {:?}", SESSION * 2);
    assert_eq!(bench.state("g"), GroupState::Empty);
}

#[test]
fn assignments_are_waited_for_even_if_no_time_is_given() {
    let mut bench = Bench::new();
    let hasty = JoinGroup { rebalance_timeout: Duration::ZERO, ..join("") };
    let one = bench.ask(Request::Join(hasty));
    let one = bench.joined(one);
    bench.pass(Duration::from_millis(900));
    assert_eq!(bench.sync(&one, &[]), Ok(String::new()));
}

#[test]
fn a_tick_takes_no_timer_that_it_has_set_itself() {
    let mut bench = Bench::new();
    bench.settings = Arc::new(settings());
    for mutation in [None, Some(crate::Mutation::TickTakesItsOwn)] {
        let entropy = Arc::new(SimEntropy::new(7));
        let settings = Arc::clone(&bench.settings);
        let machine = Coordinator::new(settings, entropy, Kept::default(), bench.now);
        bench.machine = machine.with_mutation(mutation);
        left_alone(&mut bench, ["a", "b"]);
        let (set, before) = (bench.machine.timers() as u64, bench.machine.timers_taken());
        bench.now = Moment { monotonic: bench.now.monotonic + SESSION / 2, ..bench.now };
        bench.step(Input::Tick);
        let taken = bench.machine.timers_taken() - before;
        assert_eq!(taken <= set, mutation.is_none(), "{taken} of {set} with {mutation:?}");
    }
}
