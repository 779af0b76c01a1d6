//! The directory's rules, its bytes, and that replaying is restoring.

use crate::{
    Command, DecodeError, Directory, DirectoryError, Outcome, PARTITIONS_MAX, Placement, Roles,
};
use pyralog_model::{
    ClusterId, CounterMode, Incarnation, Lane, LogName, LogNumber, LogSettings, LogicalClock,
    NodeName, NodeNumber, PartitionId, Schema, StartToken, StoreId,
};

mod counters;
mod golden;
mod histories;
mod lanes;
mod replay;
mod schemas;
mod starts;

fn found() -> Command {
    Command::FoundCluster { cluster: ClusterId(0xabc) }
}

fn register(name: &str, store: u128) -> Command {
    let advertised = [("kafka".to_owned(), "10.0.0.1:9092".to_owned())].into();
    Command::RegisterNode { name: NodeName(name.to_owned()), store: StoreId(store), advertised }
}

fn create(name: &str, partitions: u32, replication_factor: u16) -> Command {
    let name: LogName = name.parse().unwrap();
    let internal = name.is_internal();
    let settings = LogSettings::default();
    Command::CreateLog { name, partitions, replication_factor, settings, internal }
}

fn create_typed(name: &str, partitions: u32, columns: &str) -> Command {
    let Command::CreateLog { name, partitions, replication_factor, settings, internal } =
        create(name, partitions, 1)
    else {
        unreachable!()
    };
    let schema = schema(columns);
    Command::CreateTypedLog { name, partitions, replication_factor, settings, internal, schema }
}

fn schema(columns: &str) -> Schema {
    columns.parse().unwrap()
}

fn alter_schema(number: u64, columns: &str) -> Command {
    Command::AlterSchema { number: LogNumber(number), schema: schema(columns) }
}

fn add_partitions(number: u64, partitions: u32) -> Command {
    Command::AddPartitions { number: LogNumber(number), partitions }
}

fn delete(number: u64) -> Command {
    Command::DeleteLog { number: LogNumber(number) }
}

fn start(name: &str, store: u128, presented: &[u128], next: u128) -> Command {
    let Command::RegisterNode { name, store, advertised } = register(name, store) else {
        unreachable!()
    };
    let presented = presented.iter().copied().map(StartToken).collect();
    let next = StartToken(next);
    Command::StartNode { name, store, roles: Roles::BOTH, presented, next, advertised }
}

fn lease((node, incarnation): (u32, u64), floor: u64, now: u64) -> Command {
    let (floor, now) = (LogicalClock(floor), LogicalClock(now));
    let (node, incarnation) = (NodeNumber(node), Incarnation(incarnation));
    Command::LeaseLane { node, incarnation, floor, now, term_ms: 600_000 }
}

fn release((node, incarnation): (u32, u64), lane: u16, granted_to: u64, used_to: u64) -> Command {
    let (node, incarnation) = (NodeNumber(node), Incarnation(incarnation));
    let (granted_to, used_to) = (LogicalClock(granted_to), LogicalClock(used_to));
    let lane = Lane::new(lane).unwrap();
    Command::ReleaseLane { node, incarnation, lane, granted_to, used_to }
}

fn counter(name: &str, mode: CounterMode) -> Command {
    Command::CreateCounter { name: name.parse().unwrap(), mode }
}

/// A founded cluster with `nodes` members.
fn cluster(nodes: u32) -> Directory {
    let mut directory = Directory::default();
    apply(&mut directory, &found()).unwrap();
    for node in 1..=nodes {
        apply(&mut directory, &register(&format!("n{node}"), u128::from(node))).unwrap();
    }
    directory
}

fn apply(directory: &mut Directory, command: &Command) -> Result<Outcome, DirectoryError> {
    directory.apply(directory.last_index() + 1, command)
}

#[track_caller]
fn refused(directory: &Directory, command: Command) -> DirectoryError {
    let mut after = directory.clone();
    let error = apply(&mut after, &command).unwrap_err();
    assert_eq!(directory.check(&command), Err(error.clone()), "check foretells apply");
    let mut expect = directory.clone();
    expect.history.push(&command);
    assert_eq!(after, expect, "a refusal uses its index and changes nothing else");
    error
}

#[test]
fn the_index_has_to_be_the_next_one() {
    let mut directory = Directory::default();
    for found_index in [0, 2, u64::MAX] {
        let error = directory.apply(found_index, &found()).unwrap_err();
        assert_eq!(error, DirectoryError::Index { expect: 1, found: found_index });
    }
    assert_eq!(directory, Directory::default());
    directory.apply(1, &found()).unwrap();
    assert_eq!(directory.last_index(), 1);
}

#[test]
fn a_cluster_is_founded_once() {
    let directory = cluster(0);
    assert_eq!(directory.cluster(), Some(ClusterId(0xabc)));
    assert_eq!(
        apply(&mut directory.clone(), &found()),
        Ok(Outcome::ClusterFounded(ClusterId(0xabc)))
    );
    let other = Command::FoundCluster { cluster: ClusterId(1) };
    assert_eq!(refused(&directory, other), DirectoryError::AlreadyFounded(ClusterId(0xabc)));
    let nothing = Directory::default();
    assert_eq!(refused(&nothing, register("a", 1)), DirectoryError::NotFounded);
    assert_eq!(refused(&nothing, create("a", 1, 1)), DirectoryError::NotFounded);
}

#[test]
fn a_node_keeps_its_number_and_its_name_keeps_its_store() {
    let mut directory = cluster(2);
    let moved = Command::RegisterNode {
        name: NodeName("n1".into()),
        store: StoreId(1),
        advertised: Default::default(),
    };
    assert_eq!(apply(&mut directory, &moved), Ok(Outcome::NodeRegistered(NodeNumber(1))));
    assert!(directory.node(NodeNumber(1)).unwrap().advertised.is_empty());
    assert_eq!(directory.nodes().count(), 2);
    let name = |name: &str| NodeName(name.into());
    assert_eq!(refused(&directory, register("n1", 9)), DirectoryError::NodeNameTaken(name("n1")));
    assert_eq!(refused(&directory, register("n9", 2)), DirectoryError::StoreTaken(name("n2")));
    let long = refused(&directory, register(&"n".repeat(256), 9));
    assert!(matches!(long, DirectoryError::NodeDescription { .. }));
}

#[test]
fn log_numbers_are_never_given_twice_and_names_are() {
    let mut directory = cluster(1);
    assert_eq!(apply(&mut directory, &create("a", 2, 1)), Ok(Outcome::LogCreated(LogNumber(1))));
    let name: LogName = "a".parse().unwrap();
    assert_eq!(refused(&directory, create("a", 1, 1)), DirectoryError::LogExists(name.clone()));
    assert_eq!(apply(&mut directory, &delete(1)), Ok(Outcome::LogDeleted(LogNumber(1))));
    assert_eq!(directory.log(&name), None);
    assert_eq!(refused(&directory, delete(1)), DirectoryError::LogNotFound(LogNumber(1)));
    apply(&mut directory, &create("a", 2, 1)).unwrap();
    assert_eq!(directory.log(&name).unwrap().number, LogNumber(2));
}

#[test]
fn impossible_logs_are_refused() {
    let directory = cluster(2);
    let none = refused(&directory, create("a", 0, 1));
    assert_eq!(none, DirectoryError::Partitions { asked: 0, most: PARTITIONS_MAX });
    refused(&directory, create("a", PARTITIONS_MAX + 1, 1));
    let three = refused(&directory, create("a", 1, 3));
    assert_eq!(three, DirectoryError::ReplicationFactor { asked: 3, nodes: 2 });
    refused(&directory, create("a", 1, 0));
    let mut sly = create("__offsets", 1, 1);
    if let Command::CreateLog { internal, .. } = &mut sly {
        *internal = false;
    }
    assert!(matches!(refused(&directory, sly), DirectoryError::InternalName(_)));
    apply(&mut directory.clone(), &create("__offsets", 1, 1)).unwrap();
}

#[test]
fn settings_are_replaced() {
    let mut directory = cluster(1);
    apply(&mut directory, &create("a", 1, 1)).unwrap();
    let settings = LogSettings { segment_bytes: 70_000, ..LogSettings::default() };
    let alter = Command::AlterLog { number: LogNumber(1), settings: settings.clone() };
    assert_eq!(apply(&mut directory, &alter), Ok(Outcome::LogAltered(LogNumber(1))));
    assert_eq!(directory.log_by_number(LogNumber(1)).unwrap().settings, settings);
}

#[test]
fn partitions_are_spread_and_found_by_node() {
    let mut directory = cluster(3);
    apply(&mut directory, &create("b", 6, 2)).unwrap();
    apply(&mut directory, &create("a", 1, 1)).unwrap();
    let names: Vec<_> = directory.logs().map(|log| log.name.as_str()).collect();
    assert_eq!(names, ["a", "b"], "logs come by name");
    for node in 1..=3 {
        let here = directory.partitions_of(NodeNumber(node));
        assert_eq!(here.filter(|(id, _)| id.log == LogNumber(1)).count(), 4);
    }
    let (first, second) = (NodeNumber(2), NodeNumber(3));
    let expect = Placement { generation: 1, replicas: vec![first, second] };
    assert_eq!(directory.placement(PartitionId::new(1, 0)), Some(&expect));
    assert_eq!(directory.placement(PartitionId::new(1, 6)), None);
    assert_eq!(directory.placement(PartitionId::new(9, 0)), None);
}
