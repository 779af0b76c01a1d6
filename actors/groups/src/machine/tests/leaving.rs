//! Leaving: one, several, and the last.

use super::*;

fn leaving(member: &str) -> Leaving {
    Leaving { member: member.into(), instance: None }
}

fn leave(bench: &mut Bench, members: Vec<Leaving>) -> Vec<Result<(), GroupError>> {
    match bench.now(Request::Leave(LeaveGroup { group: "g".into(), members })) {
        Ok(Reply::Each(answers)) => answers,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_others_share_what_one_leaves() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    assert_eq!(leave(&mut bench, vec![leaving(&one.member)]), [Ok(())]);
    assert_eq!(bench.beat(&two), Err(GroupError::RebalanceInProgress));
    let two = bench.ask(Request::Join(join(&two.member)));
    let two = bench.joined(two);
    assert_eq!((two.leader, two.members.len()), (two.member, 1));
}

#[test]
fn several_are_answered_each_and_the_last_leaves_the_group_empty() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    let all = vec![leaving(&one.member), leaving("who"), leaving(&two.member)];
    assert_eq!(leave(&mut bench, all), [Ok(()), Err(GroupError::UnknownMember), Ok(())]);
    let description = bench.description("g");
    assert_eq!((description.summary.state, description.generation), (GroupState::Empty, 3));
    assert_eq!(leave(&mut bench, vec![leaving(&one.member)]), [Err(GroupError::UnknownMember)]);
}

#[test]
fn a_leaver_is_not_waited_for() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    let one = bench.ask(Request::Join(join(&one.member)));
    assert!(bench.waits(one));
    leave(&mut bench, vec![leaving(&two.member)]);
    assert_eq!(bench.joined(one).members.len(), 1);
}

#[test]
fn an_id_that_was_only_promised_can_be_given_back() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let knows = JoinGroup { requires_known_member: true, ..join("") };
    let Err(GroupError::MemberIdRequired(id)) = bench.now(Request::Join(knows)) else { panic!() };
    let again = bench.ask(Request::Join(join(&one.member)));
    assert!(bench.waits(again));
    assert_eq!(leave(&mut bench, vec![leaving(&id)]), [Ok(())]);
    assert_eq!(bench.joined(again).generation, 2);
}

#[test]
fn whoever_leaves_while_it_waits_is_answered() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let two = bench.ask(Request::Join(join("")));
    let one = bench.ask(Request::Join(join(&one.member)));
    let (one, two) = (bench.joined(one), bench.joined(two));
    let waiting = bench.ask(sync(&two, &[]));
    leave(&mut bench, vec![leaving(&two.member)]);
    assert_eq!(bench.synced(waiting), Err(GroupError::UnknownMember));
    assert_eq!(bench.beat(&one), Err(GroupError::RebalanceInProgress));
}
