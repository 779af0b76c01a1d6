//! Joining: ids, rounds, who leads, and what does not fit.

use super::*;

#[test]
fn a_new_member_is_told_its_id_and_joins_with_it() {
    let mut bench = Bench::new();
    let knows = JoinGroup { requires_known_member: true, ..join("") };
    let Err(GroupError::MemberIdRequired(id)) = bench.now(Request::Join(knows.clone())) else {
        panic!("it must know its id first")
    };
    assert!(id.starts_with("client-"), "{id}");
    assert_eq!(bench.state("g"), GroupState::Empty, "nobody waits for it");
    let caller = bench.ask(Request::Join(JoinGroup { member: id.clone(), ..knows }));
    let joined = bench.joined(caller);
    assert_eq!((joined.member.as_str(), joined.leader.as_str()), (id.as_str(), id.as_str()));
    assert_eq!((joined.generation, joined.members.len()), (1, 1));
}

#[test]
fn an_id_that_was_given_out_is_waited_for_as_long_as_a_session() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let knows = JoinGroup { requires_known_member: true, ..join("") };
    bench.now(Request::Join(knows)).unwrap_err();
    let again = bench.ask(Request::Join(join(&one.member)));
    bench.pass(SESSION - Duration::from_secs(1));
    assert!(bench.waits(again), "the other may still come");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.joined(again).members.len(), 1);
}

#[test]
fn an_empty_group_waits_a_little_for_others_and_again_while_they_come() {
    let delay = Duration::from_millis(500);
    let mut bench = Bench::with(GroupSettings { initial_rebalance_delay: delay, ..settings() });
    let one = bench.ask(Request::Join(join("")));
    bench.pass(Duration::from_millis(400));
    let two = bench.ask(Request::Join(join("")));
    bench.pass(Duration::from_millis(500));
    assert!(bench.waits(one) && bench.waits(two), "one came since: another delay");
    bench.pass(Duration::from_millis(100));
    assert_eq!(bench.joined(one).members.len(), 2);
    assert_eq!(bench.joined(two).members.len(), 0, "the leader alone is told of all");
}

#[test]
fn the_delays_of_an_empty_group_end_with_the_rebalance_timeout() {
    let delay = Duration::from_millis(500);
    let mut bench = Bench::with(GroupSettings { initial_rebalance_delay: delay, ..settings() });
    let short = JoinGroup { rebalance_timeout: Duration::from_millis(1_200), ..join("") };
    let first = bench.ask(Request::Join(short.clone()));
    for _ in 0..11 {
        bench.pass(Duration::from_millis(100));
        bench.ask(Request::Join(short.clone()));
        assert!(bench.waits(first));
    }
    bench.pass(Duration::from_millis(100));
    assert_eq!(bench.joined(first).members.len(), 12);
}

#[test]
fn a_third_member_makes_the_others_join_again() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    let three = bench.ask(Request::Join(join("")));
    assert!(bench.waits(three));
    assert_eq!(bench.beat(&one), Err(GroupError::RebalanceInProgress));
    let (one, two) =
        (bench.ask(Request::Join(join(&one.member))), bench.ask(Request::Join(join(&two.member))));
    let generations = [one, two, three].map(|caller| bench.joined(caller).generation);
    assert_eq!(generations, [3, 3, 3]);
}

#[test]
fn who_does_not_join_again_is_out_when_the_longest_rebalance_timeout_ends() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    let slow = JoinGroup { rebalance_timeout: REBALANCE * 2, ..join("") };
    let three = bench.ask(Request::Join(slow));
    let one = bench.ask(Request::Join(join(&one.member)));
    // It keeps its session up and does not join.
    for _ in 0..23 {
        bench.pass(SESSION / 2);
        assert_eq!(bench.beat(&two), Err(GroupError::RebalanceInProgress));
        assert!(bench.waits(one) && bench.waits(three));
    }
    bench.pass(REBALANCE * 2);
    assert_eq!(bench.joined(three).generation, 3);
    let joined = bench.joined(one);
    assert_eq!(joined.members.len(), 2);
    assert_eq!(bench.beat(&two), Err(GroupError::UnknownMember));
}

#[test]
fn when_the_leader_does_not_come_another_leads() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    assert_eq!(one.leader, one.member);
    let three = bench.ask(Request::Join(join("")));
    let two = bench.ask(Request::Join(join(&two.member)));
    bench.pass(REBALANCE);
    let (two, three) = (bench.joined(two), bench.joined(three));
    assert_eq!(two.leader, three.leader);
    assert_ne!(two.leader, one.member);
    assert_eq!(two.members.len() + three.members.len(), 2, "one of them leads");
}

#[test]
fn a_repeated_join_with_the_same_metadata_disturbs_nobody() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    let again = bench.ask(Request::Join(join(&two.member)));
    assert_eq!(bench.joined(again).generation, two.generation);
    assert_eq!(bench.state("g"), GroupState::Stable);
    // The leader asks for a new round by the same.
    let leader = bench.ask(Request::Join(join(&one.member)));
    assert!(bench.waits(leader));
    assert_eq!(bench.state("g"), GroupState::PreparingRebalance);
    let two = bench.ask(Request::Join(join(&two.member)));
    let (leader, two) = (bench.joined(leader), bench.joined(two));
    let again = bench.ask(Request::Join(join(&leader.member)));
    assert_eq!(bench.joined(again), leader, "it lost the first answer");
    assert_eq!(bench.state("g"), GroupState::CompletingRebalance);
    let other = JoinGroup { protocols: protocols(&["range", "more"]), ..join(&two.member) };
    let other = bench.ask(Request::Join(other));
    assert!(bench.waits(other));
    assert_eq!(bench.state("g"), GroupState::PreparingRebalance);
}

#[test]
fn of_two_joins_of_one_member_the_later_one_counts() {
    let mut bench = Bench::new();
    let (_, two) = bench.stable_two();
    let other = JoinGroup { protocols: protocols(&["range", "more"]), ..join(&two.member) };
    let first = bench.ask(Request::Join(other.clone()));
    let second = bench.ask(Request::Join(other));
    assert_eq!(bench.answer(first), Some(Err(GroupError::RebalanceInProgress)));
    assert!(bench.waits(second));
}

#[test]
fn the_assignor_is_voted_for_among_those_that_all_support() {
    let mut bench = Bench::new();
    let votes: [&[&str]; 3] =
        [&["range", "sticky", "mine"], &["sticky", "range"], &["sticky", "range"]];
    let delay = Duration::from_millis(10);
    bench =
        Bench::with(GroupSettings { initial_rebalance_delay: delay, ..(*bench.settings).clone() });
    let callers = votes.map(|names| {
        bench.ask(Request::Join(JoinGroup { protocols: protocols(names), ..join("") }))
    });
    bench.pass(delay * 4);
    for caller in callers {
        assert_eq!(bench.joined(caller).protocol, "sticky");
    }
    let alien = JoinGroup { protocols: protocols(&["mine"]), ..join("") };
    assert_eq!(bench.now(Request::Join(alien)), Err(GroupError::InconsistentProtocol));
    let kind = JoinGroup { protocol_type: "connect".into(), ..join("") };
    assert_eq!(bench.now(Request::Join(kind)), Err(GroupError::InconsistentProtocol));
    let none = JoinGroup { protocols: Vec::new(), ..join("") };
    assert_eq!(bench.now(Request::Join(none)), Err(GroupError::InconsistentProtocol));
}

#[test]
fn strangers_and_impossible_sessions_are_refused() {
    let mut bench = Bench::new();
    assert_eq!(bench.now(Request::Join(join("who"))), Err(GroupError::UnknownMember));
    assert_eq!(bench.machine.groups(), 0, "a stranger leaves no group behind");
    bench.stable_one();
    assert_eq!(bench.now(Request::Join(join("who"))), Err(GroupError::UnknownMember));
    for seconds in [5, 1_801] {
        let session_timeout = Duration::from_secs(seconds);
        let refused = bench.now(Request::Join(JoinGroup { session_timeout, ..join("") }));
        assert_eq!(refused, Err(GroupError::InvalidSessionTimeout), "{seconds} s");
    }
}

#[test]
fn a_full_group_takes_nobody_but_its_members() {
    let limits = GroupLimits { members_max: 2, groups_max: 2, ..GroupLimits::default() };
    let mut bench = Bench::with_limits(limits);
    let (one, two) = bench.stable_two();
    assert_eq!(bench.now(Request::Join(join(""))), Err(GroupError::Full));
    let one = bench.ask(Request::Join(join(&one.member)));
    let two = bench.ask(Request::Join(join(&two.member)));
    assert_eq!((bench.joined(one).generation, bench.joined(two).generation), (3, 3));
    bench.ask(Request::Join(JoinGroup { group: "h".into(), ..join("") }));
    let third = JoinGroup { group: "i".into(), ..join("") };
    assert_eq!(bench.now(Request::Join(third)), Err(GroupError::Full));
}

#[test]
fn ids_that_are_only_promised_count_and_so_do_bytes() {
    let limits = GroupLimits {
        members_max: 2,
        member_bytes_max: 100,
        group_bytes_max: 150,
        ..GroupLimits::default()
    };
    let mut bench = Bench::with_limits(limits);
    let said = |bytes| vec![("range".to_owned(), Bytes::from(vec![0; bytes]))];
    let large = JoinGroup { protocols: said(96), ..join("") };
    assert_eq!(bench.now(Request::Join(large)), Err(GroupError::Full));
    let knows = JoinGroup { protocols: said(80), requires_known_member: true, ..join("") };
    let Err(GroupError::MemberIdRequired(one)) = bench.now(Request::Join(knows.clone())) else {
        panic!("it must know its id first")
    };
    let one = bench.ask(Request::Join(JoinGroup { member: one, ..knows.clone() }));
    bench.joined(one);
    assert_eq!(bench.now(Request::Join(knows)), Err(GroupError::Full), "170 bytes of 150");
    let small = JoinGroup { protocols: said(1), requires_known_member: true, ..join("") };
    bench.now(Request::Join(small.clone())).unwrap_err();
    assert_eq!(bench.now(Request::Join(small)), Err(GroupError::Full), "two places, both taken");
}

#[test]
fn a_client_that_never_learned_its_id_does_not_wait_for_ever() {
    let patience = Duration::from_secs(30);
    let mut bench = Bench::with(GroupSettings { new_member_patience: patience, ..settings() });
    let one = bench.stable_one();
    let lost = bench.ask(Request::Join(join("")));
    for _ in 0..7 {
        bench.pass(SESSION / 2);
        bench.beat(&one).unwrap_err();
    }
    assert_eq!(bench.answer(lost), Some(Err(GroupError::UnknownMember)));
}
