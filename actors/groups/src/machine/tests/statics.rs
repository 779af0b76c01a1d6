//! Static members: coming back, taking over, being shut out.

use super::*;

fn fixed(member: &str) -> JoinGroup {
    JoinGroup { instance: Some("i".into()), requires_known_member: true, ..join(member) }
}

fn beat(bench: &mut Bench, joined: &Joined) -> Result<(), GroupError> {
    let (member, generation) = (joined.member.clone(), joined.generation);
    let beat = Heartbeat { group: "g".into(), generation, member, instance: Some("i".into()) };
    bench.now(Request::Heartbeat(beat)).map(|_| ())
}

/// A static member and a dynamic one; the static one leads.
fn stable(bench: &mut Bench) -> (Joined, Joined) {
    let one = bench.ask(Request::Join(fixed("")));
    let one = bench.joined(one);
    assert!(one.member.starts_with("i-"), "a static member need not know its id first");
    let two = bench.ask(Request::Join(join("")));
    let one = bench.ask(Request::Join(fixed(&one.member)));
    let (one, two) = (bench.joined(one), bench.joined(two));
    let waiting = bench.ask(sync(&two, &[]));
    let all = [(one.member.as_str(), "a"), (two.member.as_str(), "b")];
    assert_eq!(bench.sync(&one, &all), Ok("a".into()));
    bench.synced(waiting).unwrap();
    (one, two)
}

#[test]
fn a_static_member_that_comes_back_finds_its_assignment_and_disturbs_nobody() {
    let mut bench = Bench::new();
    let (one, two) = stable(&mut bench);
    let back = bench.ask(Request::Join(fixed("")));
    let back = bench.joined(back);
    assert_ne!(back.member, one.member);
    assert_eq!(back.generation, one.generation);
    assert_eq!(back.leader, one.member, "an old client must not take itself for the leader");
    assert!(back.members.is_empty() && !back.skip_assignment);
    assert_eq!(bench.sync(&back, &[]), Ok("a".into()));
    assert_eq!(bench.beat(&two), Ok(()));
    bench.restart();
    assert_eq!(bench.sync(&back, &[]), Ok("a".into()), "its new id is kept");
}

#[test]
fn the_leader_that_comes_back_may_be_told_to_skip_the_assignment() {
    let mut bench = Bench::new();
    let (one, _) = stable(&mut bench);
    let skips = JoinGroup { supports_skipping_assignment: true, ..fixed("") };
    let back = bench.ask(Request::Join(skips));
    let back = bench.joined(back);
    assert_eq!((back.generation, back.leader.as_str()), (one.generation, back.member.as_str()));
    assert!(back.skip_assignment);
    assert_eq!(back.members.len(), 2, "it watches the logs of all");
}

#[test]
fn the_one_before_is_shut_out() {
    let mut bench = Bench::new();
    let (one, _) = stable(&mut bench);
    let back = bench.ask(Request::Join(fixed("")));
    let back = bench.joined(back);
    assert_eq!(beat(&mut bench, &one), Err(GroupError::FencedInstance));
    assert_eq!(bench.beat(&one), Err(GroupError::UnknownMember));
    assert_eq!(beat(&mut bench, &back), Ok(()));
    let again = bench.now(Request::Join(fixed(&one.member)));
    assert_eq!(again, Err(GroupError::FencedInstance));
    let late = CommitOffsets { instance: Some("i".into()), ..commit(&one, 5) };
    assert_eq!(bench.now(Request::Commit(late)), Err(GroupError::FencedInstance));
    let nobody = Heartbeat {
        group: "g".into(),
        generation: one.generation,
        member: one.member,
        instance: Some("j".into()),
    };
    assert_eq!(bench.now(Request::Heartbeat(nobody)), Err(GroupError::UnknownMember));
}

#[test]
fn whoever_waits_under_the_old_id_is_told() {
    let mut bench = Bench::new();
    let (one, _) = stable(&mut bench);
    let waiting = bench.ask(Request::Join(fixed(&one.member)));
    assert!(bench.waits(waiting), "the leader asked for a round");
    let back = bench.ask(Request::Join(fixed("")));
    assert_eq!(bench.answer(waiting), Some(Err(GroupError::FencedInstance)));
    assert!(bench.waits(back), "the round waits for the dynamic member");
}

#[test]
fn other_metadata_that_changes_the_assignor_rebalances() {
    let mut bench = Bench::new();
    let both = |join: JoinGroup| JoinGroup { protocols: protocols(&["range", "sticky"]), ..join };
    let one = bench.ask(Request::Join(both(fixed(""))));
    let one = bench.joined(one);
    bench.sync(&one, &[(one.member.as_str(), "a")]).unwrap();
    let other = JoinGroup { protocols: protocols(&["sticky"]), ..fixed("") };
    let back = bench.ask(Request::Join(other));
    let back = bench.joined(back);
    assert_eq!((back.generation, back.protocol.as_str()), (2, "sticky"));
}

#[test]
fn in_a_round_that_completes_the_leader_must_hear_the_new_id() {
    let mut bench = Bench::new();
    let one = bench.ask(Request::Join(fixed("")));
    let one = bench.joined(one);
    assert_eq!(bench.state("g"), GroupState::CompletingRebalance);
    let back = bench.ask(Request::Join(fixed("")));
    let back = bench.joined(back);
    assert_eq!(back.generation, one.generation + 1);
    assert_eq!(back.leader, back.member);
}

#[test]
fn a_static_member_that_is_away_stays_through_a_round_until_its_session_ends() {
    let mut bench = Bench::new();
    let (one, two) = stable(&mut bench);
    let two = bench.ask(Request::Join(JoinGroup {
        protocols: protocols(&["range", "more"]),
        rebalance_timeout: REBALANCE,
        ..join(&two.member)
    }));
    // Sessions of 10 s end before rounds of 60 s: the static member keeps its up.
    for _ in 0..12 {
        bench.pass(SESSION / 2);
        let _ = beat(&mut bench, &one);
    }
    let two = bench.joined(two);
    assert_eq!(two.leader, two.member, "whoever is away does not lead");
    assert_eq!(two.members.len(), 2, "it stays in");
    bench.sync(&two, &[]).unwrap();
    bench.pass(SESSION);
    assert_eq!(beat(&mut bench, &one), Err(GroupError::UnknownMember));
}

#[test]
fn an_operator_takes_one_out_by_its_instance() {
    let mut bench = Bench::new();
    let (one, _) = stable(&mut bench);
    let leave = |member: &str, instance: &str| {
        let one = Leaving { member: member.into(), instance: Some(instance.into()) };
        Request::Leave(LeaveGroup { group: "g".into(), members: vec![one] })
    };
    let each = |answer| Ok(Reply::Each(vec![answer]));
    assert_eq!(bench.now(leave("", "j")), each(Err(GroupError::UnknownMember)));
    assert_eq!(bench.now(leave("who", "i")), each(Err(GroupError::FencedInstance)));
    assert_eq!(bench.now(leave("", "i")), each(Ok(())));
    assert_eq!(beat(&mut bench, &one), Err(GroupError::UnknownMember));
}

#[test]
fn a_return_that_is_not_written_is_tried_again_and_one_in_a_rebalance_waits() {
    let mut bench = Bench::new();
    let (_, two) = stable(&mut bench);
    bench.writes_through = false;
    let back = bench.ask(Request::Join(fixed("")));
    bench.settle(false);
    assert!(matches!(bench.answer(back), Some(Err(GroupError::Unavailable(_)))));
    let back = bench.ask(Request::Join(fixed("")));
    let other = JoinGroup { protocols: protocols(&["range", "more"]), ..join(&two.member) };
    let two = bench.ask(Request::Join(other));
    bench.settle(true);
    let (back, two) = (bench.joined(back), bench.joined(two));
    assert_eq!((back.generation, two.generation), (3, 3));
}
