//! Nothing is told before it is durable, and a refused write changes nothing.

use super::*;

fn unavailable(answer: Option<Result<Reply, GroupError>>) -> bool {
    matches!(answer, Some(Err(GroupError::Unavailable(_))))
}

#[test]
fn a_commit_is_answered_and_shown_when_it_is_durable() {
    let mut bench = Bench::new();
    bench.writes_through = false;
    let nothing = bench.committed();
    let first = bench.ask(Request::Commit(alone(1)));
    let after_first = bench.fetch();
    let second = bench.ask(Request::Commit(alone(2)));
    let after_second = bench.fetch();
    assert!([first, after_first, second, after_second].iter().all(|caller| bench.waits(*caller)));
    let (token, _) = bench.writes.pop_front().unwrap();
    bench.step(Input::Written { tokens: vec![token], stored: true });
    assert!(!bench.waits(first) && bench.waits(second) && bench.waits(after_second));
    assert_eq!((nothing, bench.fetched(after_first)), (None, Some(1)));
    bench.settle(false);
    assert!(unavailable(bench.answer(second)));
    assert_eq!(bench.fetched(after_second), Some(1), "what was refused never was");
}

#[test]
fn a_generation_is_announced_when_it_is_durable() {
    let mut bench = Bench::new();
    bench.writes_through = false;
    let one = bench.ask(Request::Join(join("")));
    assert!(bench.waits(one));
    bench.settle(true);
    let one = bench.joined(one);
    assert_eq!(one.generation, 1);
    bench.restart();
    assert_eq!(bench.state("g"), GroupState::CompletingRebalance);
    let synced = bench.ask(sync(&one, &[(one.member.as_str(), "a")]));
    bench.settle(true);
    assert_eq!(bench.synced(synced), Ok("a".into()), "the new coordinator knows the round");
}

#[test]
fn a_generation_that_is_refused_is_nobodys() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    bench.writes_through = false;
    let two = bench.ask(Request::Join(join("")));
    let again = bench.ask(Request::Join(join(&one.member)));
    bench.settle(false);
    assert!(unavailable(bench.answer(two)) && unavailable(bench.answer(again)));
    bench.writes_through = true;
    let again = bench.ask(Request::Join(join(&one.member)));
    let again = bench.joined(again);
    assert_eq!(again.members.len(), 1, "the other never learned its id");
    assert_eq!(again.generation, 3, "numbers that were refused are not used again");
}

#[test]
fn whoever_joins_while_a_generation_is_written_makes_another() {
    let mut bench = Bench::new();
    bench.writes_through = false;
    let one = bench.ask(Request::Join(join("")));
    let two = bench.ask(Request::Join(join("")));
    bench.settle(true);
    let (one, two) = (bench.joined(one), bench.joined(two));
    assert_eq!((one.generation, two.generation), (2, 2));
    assert_eq!(one.members.len(), 2);
}

#[test]
fn an_assignment_is_told_when_it_is_durable() {
    let mut bench = Bench::new();
    let one = bench.ask(Request::Join(join("")));
    let one = bench.joined(one);
    bench.writes_through = false;
    let waiting = bench.ask(sync(&one, &[(one.member.as_str(), "a")]));
    assert!(bench.waits(waiting));
    bench.settle(false);
    assert!(unavailable(bench.answer(waiting)));
    assert_eq!(bench.beat(&one), Err(GroupError::RebalanceInProgress));
    bench.writes_through = true;
    let again = bench.ask(Request::Join(join(&one.member)));
    let again = bench.joined(again);
    assert_eq!(bench.sync(&again, &[(again.member.as_str(), "b")]), Ok("b".into()));
}

#[test]
fn an_assignment_of_a_round_that_is_over_is_nobodys() {
    let mut bench = Bench::new();
    let one = bench.ask(Request::Join(join("")));
    let one = bench.joined(one);
    bench.writes_through = false;
    let waiting = bench.ask(sync(&one, &[(one.member.as_str(), "a")]));
    let two = bench.ask(Request::Join(join("")));
    assert_eq!(bench.synced(waiting), Err(GroupError::RebalanceInProgress));
    bench.settle(true);
    assert_eq!(bench.state("g"), GroupState::PreparingRebalance);
    let again = bench.ask(Request::Join(join(&one.member)));
    bench.settle(true);
    assert_eq!((bench.joined(again).generation, bench.joined(two).generation), (2, 2));
}

#[test]
fn after_a_restart_the_group_goes_on_and_sessions_begin_anew() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    bench.now(Request::Commit(commit(&one, 5))).unwrap();
    bench.pass(SESSION - Duration::from_secs(1));
    bench.restart();
    bench.pass(SESSION - Duration::from_secs(1));
    assert_eq!((bench.beat(&one), bench.beat(&two)), (Ok(()), Ok(())));
    assert_eq!(bench.sync(&two, &[]), Ok("b".into()));
    assert_eq!(bench.committed(), Some(5));
    assert_eq!(bench.description("g").leader, Some(one.member.clone()));
    bench.pass(SESSION);
    assert_eq!(bench.beat(&one), Err(GroupError::UnknownMember));
}

#[test]
fn a_round_that_nobody_completes_after_a_restart_ends() {
    let mut bench = Bench::new();
    let one = bench.ask(Request::Join(join("")));
    let one = bench.joined(one);
    bench.restart();
    for _ in 0..12 {
        assert_eq!(bench.beat(&one), Ok(()));
        bench.pass(SESSION / 2);
    }
    assert_eq!(bench.beat(&one), Err(GroupError::UnknownMember));
    assert_eq!(bench.state("g"), GroupState::Empty);
}
