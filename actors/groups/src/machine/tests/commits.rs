//! Commits: by whom, in which state, and when they are shown.

use super::*;

fn committed(bench: &mut Bench, commit: CommitOffsets) -> Result<(), GroupError> {
    match bench.now(Request::Commit(commit))? {
        Reply::Each(answers) => answers.into_iter().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_comes_back_with_its_epoch_and_its_metadata() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    assert_eq!(committed(&mut bench, commit(&one, 42)), Ok(()));
    let all = FetchOffsets { group: "g".into(), partitions: None };
    let expected = CommittedOffset { offset: 42, leader_epoch: 3, metadata: "note".into() };
    let Ok(Reply::Fetched(found)) = bench.now(Request::Fetch(all)) else { panic!() };
    let shown = |log| found[0].clone().shown(log).committed;
    assert_eq!((found.len(), &found[0].partition), (1, &partition("log", 0)));
    assert_eq!(shown(Some(LOG)), Some(expected));
    assert_eq!((shown(Some(HEIR)), shown(None)), (None, None), "it is of another log");
    let other = FetchOffsets { group: "g".into(), partitions: Some(vec![partition("log", 1)]) };
    let none = FoundOffset { partition: partition("log", 1), kept: None };
    assert_eq!(bench.now(Request::Fetch(other)), Ok(Reply::Fetched(vec![none])));
    let nowhere = FetchOffsets { group: "h".into(), partitions: None };
    assert_eq!(bench.now(Request::Fetch(nowhere)), Ok(Reply::Fetched(Vec::new())));
}

#[test]
fn strangers_and_old_generations_commit_nothing() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let old = Joined { generation: one.generation - 1, ..one.clone() };
    assert_eq!(committed(&mut bench, commit(&old, 1)), Err(GroupError::IllegalGeneration));
    let stranger = Joined { member: "who".into(), ..one.clone() };
    assert_eq!(committed(&mut bench, commit(&stranger, 1)), Err(GroupError::UnknownMember));
    let no_generation = CommitOffsets { generation: -1, ..commit(&one, 1) };
    assert_eq!(committed(&mut bench, no_generation), Err(GroupError::IllegalGeneration));
    assert_eq!(committed(&mut bench, alone(1)), Err(GroupError::UnknownMember));
    let nowhere = CommitOffsets { group: "h".into(), ..commit(&one, 1) };
    assert_eq!(committed(&mut bench, nowhere), Err(GroupError::IllegalGeneration));
    assert_eq!(bench.committed(), None);
}

#[test]
fn a_client_that_manages_itself_commits_while_nobody_else_is_there() {
    let mut bench = Bench::new();
    assert_eq!(committed(&mut bench, alone(7)), Ok(()));
    assert_eq!(bench.committed(), Some(7));
    assert_eq!(bench.state("g"), GroupState::Empty);
    bench.stable_one();
    assert_eq!(bench.committed(), Some(7), "members go on from there");
    assert_eq!(committed(&mut bench, alone(8)), Err(GroupError::UnknownMember));
}

#[test]
fn in_a_rebalance_a_member_may_commit_until_the_generation_ends() {
    let mut bench = Bench::new();
    let (one, two) = bench.stable_two();
    let other = JoinGroup { protocols: protocols(&["range", "more"]), ..join(&two.member) };
    let two = bench.ask(Request::Join(other));
    assert_eq!(bench.state("g"), GroupState::PreparingRebalance);
    assert_eq!(committed(&mut bench, commit(&one, 9)), Ok(()), "what it read before it joins");
    let again = bench.ask(Request::Join(join(&one.member)));
    let again = bench.joined(again);
    bench.joined(two);
    assert_eq!(committed(&mut bench, commit(&one, 10)), Err(GroupError::IllegalGeneration));
    assert_eq!(committed(&mut bench, commit(&again, 10)), Err(GroupError::RebalanceInProgress));
    assert_eq!(bench.committed(), Some(9));
}

#[test]
fn a_commit_keeps_its_member_in() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    for offset in 0..6 {
        bench.pass(SESSION * 3 / 4);
        assert_eq!(committed(&mut bench, commit(&one, offset)), Ok(()));
    }
}

#[test]
fn what_does_not_fit_is_refused_and_the_rest_is_taken() {
    let limits = GroupLimits { offsets_max: 2, groups_max: 1, ..GroupLimits::default() };
    let mut bench = Bench::with_limits(limits);
    let offset = |at, metadata: String| OffsetToCommit {
        partition: partition("log", at),
        log: LOG,
        committed: CommittedOffset { offset: 1, leader_epoch: -1, metadata },
    };
    let long = "x".repeat(4_097);
    let offsets = vec![
        offset(0, "x".repeat(4_096)),
        offset(1, long),
        offset(2, String::new()),
        offset(3, String::new()),
        offset(0, String::new()),
    ];
    let answers = bench.now(Request::Commit(CommitOffsets { offsets, ..alone(0) }));
    let (long, full) = (Err(GroupError::MetadataTooLarge), Err(GroupError::Full));
    assert_eq!(answers, Ok(Reply::Each(vec![Ok(()), long, Ok(()), full.clone(), Ok(())])));
    let other = CommitOffsets { group: "h".into(), ..alone(0) };
    assert_eq!(bench.now(Request::Commit(other)), Err(GroupError::Full), "one group of one");
    let offsets = vec![offset(4, String::new())];
    let answers = bench.now(Request::Commit(CommitOffsets { offsets, ..alone(0) }));
    assert_eq!(answers, Ok(Reply::Each(vec![full])));
}

#[test]
fn offsets_that_are_on_their_way_count() {
    let limits = GroupLimits { offsets_max: 2, ..GroupLimits::default() };
    let mut bench = Bench::with_limits(limits);
    bench.writes_through = false;
    let at = |at| CommitOffsets {
        offsets: vec![OffsetToCommit {
            partition: partition("log", at),
            ..alone(1).offsets[0].clone()
        }],
        ..alone(1)
    };
    bench.ask(Request::Commit(at(0)));
    bench.ask(Request::Commit(at(1)));
    let third = bench.now(Request::Commit(at(2)));
    assert_eq!(third, Ok(Reply::Each(vec![Err(GroupError::Full)])));
    let again = bench.ask(Request::Commit(at(1)));
    assert!(bench.waits(again), "it has its place");
}

#[test]
fn a_coordinator_that_is_full_goes_on_with_what_it_has() {
    // Two offsets of a log with three letters and notes of four.
    let limits = GroupLimits { state_bytes_max: 2 * 55, ..GroupLimits::default() };
    let mut bench = Bench::with_limits(limits);
    assert_eq!(committed(&mut bench, alone(1)), Ok(()));
    let mut second = alone(1);
    second.offsets[0].partition = partition("log", 1);
    assert_eq!(committed(&mut bench, second.clone()), Ok(()));
    assert_eq!(committed(&mut bench, alone(2)), Ok(()));
    second.offsets[0].partition = partition("log", 2);
    assert_eq!(committed(&mut bench, second), Err(GroupError::Full));
    assert_eq!(bench.now(Request::Join(join(""))), Err(GroupError::Full));
    assert_eq!(bench.committed(), Some(2));
}

#[test]
fn a_commit_of_an_earlier_log_that_comes_late_takes_nothing_from_its_heir() {
    let mut bench = Bench::new();
    let mut of_heir = alone(5);
    of_heir.offsets[0].log = HEIR;
    assert_eq!(committed(&mut bench, of_heir), Ok(()));
    assert_eq!(committed(&mut bench, alone(9)), Ok(()), "its log was there when it was sent");
    assert_eq!(bench.committed(), Some(5));
    bench.restart();
    assert_eq!(bench.committed(), Some(5));
}

#[test]
fn what_is_there_grows_no_further_than_everything_may() {
    for mutation in [None, Some(crate::Mutation::OffsetsGrow)] {
        let limits = GroupLimits { state_bytes_max: 10_000, ..GroupLimits::default() };
        let mut bench = Bench::with_limits(limits.clone());
        bench.machine = bench.machine.with_mutation(mutation);
        let noted = |at, bytes: usize| {
            let committed =
                CommittedOffset { offset: 1, leader_epoch: -1, metadata: "x".repeat(bytes) };
            let partition = partition("log", at);
            CommitOffsets {
                offsets: vec![OffsetToCommit { partition, log: LOG, committed }],
                ..alone(1)
            }
        };
        let mut refused = 0;
        for at in 0..100 {
            assert_eq!(committed(&mut bench, noted(at, 0)), Ok(()), "{at}");
        }
        for at in 0..100 {
            refused += usize::from(committed(&mut bench, noted(at, 4_096)).is_err());
            assert_eq!(committed(&mut bench, noted(at, 0)), Ok(()), "less always fits");
            refused += usize::from(committed(&mut bench, noted(at, 1_000)).is_err());
        }
        let bytes = bench.machine.kept().bytes();
        let is_bounded = bytes <= limits.state_bytes_max;
        assert_eq!(is_bounded, mutation.is_none(), "{bytes} bytes with {mutation:?}");
        assert_eq!(refused > 0, mutation.is_none());
    }
}
