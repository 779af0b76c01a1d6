//! Starts: members are known by their tokens, and copies by the lack of one.

use super::*;

fn started(directory: &mut Directory, command: &Command) -> (u32, u64) {
    match apply(directory, command).unwrap() {
        Outcome::NodeStarted { number, incarnation } => (number.0, incarnation.0),
        other => panic!("{other:?}"),
    }
}

fn name(name: &str) -> NodeName {
    NodeName(name.into())
}

#[test]
fn every_start_is_an_incarnation_of_its_own() {
    let mut directory = cluster(0);
    assert_eq!(started(&mut directory, &start("a", 1, &[], 10)), (1, 1));
    assert_eq!(started(&mut directory, &start("b", 2, &[], 20)), (2, 2));
    assert_eq!(started(&mut directory, &start("a", 1, &[10], 11)), (1, 3));
    // The answer was lost and the start is asked for again, also without the last.
    assert_eq!(started(&mut directory, &start("a", 1, &[10], 11)), (1, 3));
    assert_eq!(started(&mut directory, &start("a", 1, &[], 11)), (1, 3));
    // It stopped before it knew which of two starts had been accepted.
    assert_eq!(started(&mut directory, &start("a", 1, &[10, 11], 12)), (1, 4));
    assert_eq!(directory.node(NodeNumber(1)).unwrap().incarnation, Incarnation(4));
    assert_eq!(directory.nodes().count(), 2);
}

#[test]
fn copies_and_duplicate_names_are_refused() {
    let mut directory = cluster(0);
    started(&mut directory, &start("a", 1, &[], 10));
    // The copy was made here; the original goes on.
    started(&mut directory, &start("a", 1, &[10], 11));
    let copied = DirectoryError::NodeCopied(name("a"));
    assert_eq!(refused(&directory, start("a", 1, &[10], 12)), copied);
    assert_eq!(refused(&directory, start("a", 1, &[], 12)), copied);
    let taken = refused(&directory, start("a", 2, &[11], 12));
    assert_eq!(taken, DirectoryError::NodeNameTaken(name("a")));
    let renamed = refused(&directory, start("z", 1, &[11], 12));
    assert_eq!(renamed, DirectoryError::StoreTaken(name("a")));
    started(&mut directory, &start("a", 1, &[11], 12));
}

#[test]
fn a_member_from_before_there_were_starts_is_taken_as_it_is() {
    let mut directory = cluster(1);
    assert_eq!(started(&mut directory, &start("n1", 1, &[], 10)), (1, 1));
    let copied = refused(&directory, start("n1", 1, &[], 11));
    assert_eq!(copied, DirectoryError::NodeCopied(name("n1")));
}

#[test]
fn impossible_starts_are_refused() {
    let directory = cluster(1);
    let many: Vec<u128> = (0..17).collect();
    let tokens = refused(&directory, start("n1", 1, &many, 99));
    assert_eq!(tokens, DirectoryError::Tokens { have: 17, most: crate::TOKENS_MAX });
    let mut idle = start("n1", 1, &[], 99);
    if let Command::StartNode { roles, .. } = &mut idle {
        *roles = Roles::default();
    }
    assert_eq!(refused(&directory, idle), DirectoryError::NoRole);
    assert_eq!(refused(&Directory::default(), start("a", 1, &[], 1)), DirectoryError::NotFounded);
}

#[test]
fn partitions_are_placed_on_pyramids_only() {
    let mut directory = cluster(0);
    let mut obelisk = start("o", 9, &[], 9);
    if let Command::StartNode { roles, .. } = &mut obelisk {
        roles.pyramid = false;
    }
    started(&mut directory, &obelisk);
    let none = refused(&directory, create("a", 1, 1));
    assert_eq!(none, DirectoryError::ReplicationFactor { asked: 1, nodes: 0 });
    started(&mut directory, &start("p", 1, &[], 1));
    started(&mut directory, &start("q", 2, &[], 2));
    refused(&directory, create("a", 1, 3));
    apply(&mut directory, &create("a", 4, 1)).unwrap();
    for (node, expect) in [(1, 0), (2, 2), (3, 2)] {
        assert_eq!(directory.partitions_of(NodeNumber(node)).count(), expect);
    }
}
