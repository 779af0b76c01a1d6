//! What tools ask for.

use super::*;

fn deleted(bench: &mut Bench) -> Result<Reply, GroupError> {
    bench.now(Request::Delete("g".into()))
}

#[test]
fn a_list_shows_every_group_with_its_state() {
    let mut bench = Bench::new();
    bench.stable_one();
    bench.now(Request::Commit(CommitOffsets { group: "alone".into(), ..alone(1) })).unwrap();
    let Ok(Reply::Listed(groups)) = bench.now(Request::List(GroupState::ALIVE.to_vec())) else {
        panic!()
    };
    let shown: Vec<_> = groups
        .iter()
        .map(|g| (g.group.as_str(), g.state, g.protocol_type.as_str(), g.members))
        .collect();
    let expected = [("alone", GroupState::Empty, "", 0), ("g", GroupState::Stable, "consumer", 1)];
    assert_eq!(shown, expected);
}

#[test]
fn a_description_shows_assignments_only_of_a_stable_group() {
    let mut bench = Bench::new();
    let one = bench.stable_one();
    let stable = bench.description("g");
    assert_eq!(stable.protocol, "range");
    assert_eq!(stable.members[0].assignment, Bytes::from_static(b"all"));
    assert_eq!(stable.members[0].metadata, Bytes::from_static(b"what it reads"));
    assert_eq!(stable.members[0].client_host, "127.0.0.1");
    bench.ask(Request::Join(join("")));
    let preparing = bench.description("g");
    assert_eq!(preparing.members.len(), 2);
    let shown = preparing.members.iter().find(|m| m.member == one.member).unwrap();
    assert!(shown.assignment.is_empty() && shown.metadata.is_empty());
    assert_eq!(bench.state("nowhere"), GroupState::Dead);
}

#[test]
fn a_group_without_members_is_deleted_with_its_offsets() {
    let mut bench = Bench::new();
    assert_eq!(deleted(&mut bench), Err(GroupError::NotFound));
    let one = bench.stable_one();
    bench.now(Request::Commit(commit(&one, 5))).unwrap();
    assert_eq!(deleted(&mut bench), Err(GroupError::NotEmpty));
    bench.pass(SESSION);
    assert_eq!(deleted(&mut bench), Ok(Reply::Done));
    assert_eq!((bench.committed(), bench.machine.groups()), (None, 0));
    assert_eq!(deleted(&mut bench), Err(GroupError::NotFound));
    bench.restart();
    assert_eq!(bench.machine.groups(), 0);
}

#[test]
fn a_deletion_takes_what_was_on_its_way_and_leaves_what_came_after() {
    let mut bench = Bench::new();
    bench.writes_through = false;
    let before = bench.ask(Request::Commit(alone(1)));
    let delete = bench.ask(Request::Delete("g".into()));
    assert!(bench.waits(delete));
    let mut after = alone(2);
    after.offsets[0].partition = partition("log", 1);
    let after = bench.ask(Request::Commit(after));
    bench.settle(true);
    assert!([before, delete, after].into_iter().all(|caller| !bench.waits(caller)));
    assert_eq!(bench.committed(), None);
    assert_eq!(bench.machine.kept().group("g").unwrap().offsets.len(), 1);
    assert_eq!(bench.machine.groups(), 1);
}

#[test]
fn a_deletion_that_is_refused_deletes_nothing() {
    let mut bench = Bench::new();
    bench.now(Request::Commit(alone(1))).unwrap();
    bench.writes_through = false;
    let delete = bench.ask(Request::Delete("g".into()));
    bench.settle(false);
    assert!(matches!(bench.answer(delete), Some(Err(GroupError::Unavailable(_)))));
    assert_eq!((bench.committed(), bench.machine.groups()), (Some(1), 1));
}

#[test]
fn offsets_are_forgotten_of_logs_that_no_member_reads() {
    let mut bench = Bench::new();
    let nowhere = Request::DeleteOffsets("g".into(), vec![partition("log", 0)]);
    assert_eq!(bench.now(nowhere), Err(GroupError::NotFound));
    let reads_log = Bytes::from_static(b"\0\0\0\0\0\x01\0\x03log\0\0\0\0");
    let protocols = vec![("range".to_owned(), reads_log)];
    let one = bench.ask(Request::Join(JoinGroup { protocols, ..join("") }));
    let one = bench.joined(one);
    bench.sync(&one, &[]).unwrap();
    let mut both = commit(&one, 5);
    both.offsets.push(OffsetToCommit { partition: partition("old", 0), ..both.offsets[0].clone() });
    bench.now(Request::Commit(both)).unwrap();
    let partitions = ["log", "old", "new"].map(|topic| partition(topic, 0)).to_vec();
    let forget = Request::DeleteOffsets("g".into(), partitions);
    let answers = vec![Err(GroupError::Subscribed), Ok(()), Ok(())];
    assert_eq!(bench.now(forget.clone()), Ok(Reply::Each(answers)));
    assert_eq!(bench.machine.kept().group("g").unwrap().offsets.len(), 1);
    bench.pass(SESSION);
    assert_eq!(bench.now(forget), Ok(Reply::Each(vec![Ok(()); 3])));
    assert_eq!(bench.committed(), None);
}

#[test]
fn members_of_another_kind_keep_their_offsets() {
    let mut bench = Bench::new();
    let kind = JoinGroup { protocol_type: "connect".into(), ..join("") };
    bench.ask(Request::Join(kind));
    let forget = Request::DeleteOffsets("g".into(), vec![partition("log", 0)]);
    assert_eq!(bench.now(forget), Err(GroupError::NotEmpty));
}

#[test]
fn offsets_of_a_deleted_log_are_forgotten_those_on_their_way_too() {
    let mut bench = Bench::new();
    bench.now(Request::Commit(alone(1))).unwrap();
    bench.writes_through = false;
    let mut other = alone(2);
    other.offsets[0].partition = partition("log", 1);
    bench.ask(Request::Commit(other));
    let mut stays = alone(3);
    stays.offsets[0].partition = partition("stays", 0);
    bench.ask(Request::Commit(stays));
    bench.step(Input::LogsGone([("log".into(), Some(LOG))].into()));
    bench.settle(true);
    assert_eq!(bench.machine.topics().into_iter().collect::<Vec<_>>(), [("stays", Some(LOG))]);
}

#[test]
fn an_offset_that_is_only_on_its_way_is_forgotten_with_its_log() {
    let mut bench = Bench::new();
    bench.writes_through = false;
    bench.ask(Request::Commit(alone(1)));
    let topics: Vec<_> = bench.machine.topics().into_iter().collect();
    assert_eq!(topics, [("log", Some(LOG))]);
    bench.step(Input::LogsGone([("log".into(), Some(LOG))].into()));
    bench.settle(true);
    assert_eq!(bench.committed(), None);
}

#[test]
fn what_the_heir_of_a_name_has_on_its_way_is_not_forgotten_with_the_log_before() {
    let mut bench = Bench::new();
    bench.now(Request::Commit(alone(1))).unwrap();
    bench.writes_through = false;
    let mut of_heir = alone(2);
    of_heir.offsets[0].log = HEIR;
    bench.ask(Request::Commit(of_heir));
    bench.step(Input::LogsGone([("log".into(), Some(LOG))].into()));
    bench.settle(true);
    assert_eq!(bench.committed(), Some(2));
}
