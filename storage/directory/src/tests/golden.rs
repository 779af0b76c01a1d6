//! The bytes on disk must not move, and hostile ones must not hurt.

use super::*;
use crate::LaneEntry;
use proptest::prelude::*;
use std::sync::Arc;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

#[track_caller]
fn check(command: Command, expect: &str) {
    assert_eq!(hex(&command.encode()), expect, "{command:?}");
    assert_eq!(Command::decode(&command.encode()), Ok(command));
}

#[track_caller]
fn check_version_1(command: Command, expect: &str) {
    assert_eq!(Command::decode(&bytes(expect)), Ok(command));
}

fn alter() -> Command {
    let settings =
        LogSettings { segment_bytes: 65_536, max_message_bytes: 1_024, ..LogSettings::default() };
    Command::AlterLog { number: LogNumber(3), settings }
}

/// The version that brought it, variant, fields. A failure here means that old data cannot be
/// read: add a variant or a version instead.
#[test]
fn every_command_has_its_bytes() {
    check(found(), "0200bc15");
    check(register("n1", 7), "0201026e310701056b61666b610d31302e302e302e313a39303932");
    check(create("flights", 8, 1), "020207666c696768747308018094ebdc038c80400000");
    check(delete(300), "0203ac02");
    check(alter(), "020403808004800800");
    let started = start("n1", 7, &[1, 2], 3);
    check(started, "0205026e310701010201020301056b61666b610d31302e302e302e313a39303932");
    check(lease((1, 2), 300, 400), "02060102ac029003c0cf24");
    check(release((1, 2), 5, 400, 300), "02070102059003ac02");
    check(counter("a", CounterMode::Leased), "0208016101");
    let typed = create_typed("flights", 8, "carrier TEXT, price DECIMAL(9, 2)");
    let expect = "030907666c696768747308018094ebdc038c8040000001020763617272696572\
                  06057072696365090902";
    check(typed, expect);
    check(alter_schema(300, "a BIGINT"), "030aac020101016103");
    check(add_partitions(300, 9), "030bac0209");
}

/// What was there before version 3 has kept its version, and so its digest.
#[test]
fn a_command_has_the_version_that_brought_it_and_no_other() {
    assert_eq!(Command::decode(&bytes("020bac0209")), Err(DecodeError::NotCanonical));
    assert_eq!(Command::decode(&bytes("0303ac02")), Err(DecodeError::NotCanonical));
}

/// What the first release wrote.
#[test]
fn commands_of_version_1_are_read() {
    check_version_1(found(), "0100bc15");
    check_version_1(register("n1", 7), "0101026e310701056b61666b610d31302e302e302e313a39303932");
    check_version_1(create("flights", 8, 1), "010207666c696768747308018094ebdc038c80400000");
    check_version_1(delete(300), "0103ac02");
    check_version_1(alter(), "010403808004800800");
    let unknown = Command::decode(&bytes("0105"));
    assert!(matches!(unknown, Err(DecodeError::Malformed(_))), "{unknown:?}");
}

#[test]
fn a_snapshot_has_its_bytes() {
    let mut directory = cluster(1);
    apply(&mut directory, &create("a", 2, 1)).unwrap();
    apply(&mut directory, &start("n1", 1, &[], 9)).unwrap();
    apply(&mut directory, &lease((1, 1), 0, 8192)).unwrap();
    apply(&mut directory, &counter("b", CounterMode::Leased)).unwrap();
    assert_eq!(Directory::restore(&bytes(&SNAPSHOT_2.concat())).unwrap(), directory);
    apply(&mut directory, &alter_schema(1, "a TEXT")).unwrap();
    let mut expect = SNAPSHOT_2.to_vec();
    expect[0] = "03"; // version
    expect[1] = "0701bc15010101"; // index and so on
    expect[6] = "8094ebdc038c80400000010101016106"; // and a schema: version, columns
    expect[12] = "000038"; // seven digests
    expect.push("0ced4441afc65895");
    assert_eq!(hex(&directory.snapshot()), expect.concat());
}

/// What version 2 wrote for it, before the log got a schema.
const SNAPSHOT_2: [&str; 19] = [
    "02",                           // version
    "0601bc15010101",               // index, cluster, last numbers, last start
    "0101026e310101056b61666b61",   // one node: number, name, store, door
    "0d31302e302e302e313a39303932", // its address
    "0101010901",                   // its roles, token, start
    "010101610201",                 // one log: number, name, partitions, replicas
    "8094ebdc038c80400000",         // settings, internal
    "02010101010101",               // two placements
    "8040",                         // the clock
    "0100010101804080c0e0a712",     // one lane: number, holder, from, to
    "010162010101",                 // one chunk of one counter: names, lengths
    "01",                           // its mode
    "000030",                       // digests: from 0 on, no checkpoints, six
    "80b108e7814f0e4b",             // of the first command
    "8e9abe0b46374c72",
    "84338e943621aaed",
    "4a29adbae0438f8d",
    "71dc457307fa4c22",
    "d2c8eff0146f072b", // of the last
];

/// What the first release wrote for `cluster(1)` with the log `a`.
const SNAPSHOT_1: &str = "010301bc1501010101026e310101056b61666b610d31302e302e302e313a39303932\
                          0101016102018094ebdc038c8040000002010101010101";

#[test]
fn a_snapshot_of_version_1_is_read() {
    let mut directory = cluster(1);
    apply(&mut directory, &create("a", 2, 1)).unwrap();
    let restored = Directory::restore(&bytes(SNAPSHOT_1)).unwrap();
    // Of the way to it nothing is known.
    directory.history = crate::history::History::beginning_at(3);
    assert_eq!(restored, directory);
    assert_eq!(restored.node(NodeNumber(1)).unwrap().roles, crate::Roles::BOTH);
    apply(&mut directory, &start("n1", 1, &[], 9)).unwrap();
}

#[test]
fn what_is_not_ours_is_refused() {
    let good = delete(1).encode();
    assert_eq!(
        Command::decode(&[4, 3, 1]),
        Err(DecodeError::Version { found: 4, known: 3 }),
        "a newer version"
    );
    assert_eq!(Command::decode(&[good.clone(), vec![0]].concat()), Err(DecodeError::NotCanonical));
    for version in [1, 2] {
        let long_way = Command::decode(&[version, 3, 0x81, 0]);
        assert_eq!(long_way, Err(DecodeError::NotCanonical), "1, the long way");
        let unknown = Command::decode(&[version, 99]);
        assert!(matches!(unknown, Err(DecodeError::Malformed(_))));
    }
    assert!(matches!(Command::decode(&[0, 0]), Err(DecodeError::Version { found: 0, .. })));
    assert!(matches!(Command::decode(&good[..2]), Err(DecodeError::Malformed(_))));
    let long = vec![1; 65_537];
    assert_eq!(Command::decode(&long), Err(DecodeError::TooLong { have: 65_537, most: 65_536 }));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let mut directory = cluster(1);
    apply(&mut directory, &create("a", 2, 1)).unwrap();
    apply(&mut directory, &start("n1", 1, &[], 9)).unwrap();
    apply(&mut directory, &lease((1, 1), 0, 8192)).unwrap();
    apply(&mut directory, &counter("a", CounterMode::Exact)).unwrap();
    type Damage = fn(&mut Directory);
    let damages: [(Damage, &str); 10] = [
        (|directory| directory.cluster = None, "members without a cluster"),
        (|directory| directory.last_node = 0, "a node number that was never given"),
        (|directory| directory.last_log = 0, "a log number that was never given"),
        (
            |directory| {
                Arc::make_mut(&mut directory.logs)
                    .values_mut()
                    .for_each(|log| Arc::make_mut(log).entry.partitions = 3);
            },
            "a partition that is on no node, or on an unknown one",
        ),
        (
            |directory| Arc::make_mut(&mut directory.nodes).clear(),
            "a partition that is on no node, or on an unknown one",
        ),
        (|directory| directory.last_incarnation = 0, "a start that was never counted"),
        (
            |directory| {
                let nodes = Arc::make_mut(&mut directory.nodes);
                nodes.values_mut().for_each(|node| node.token = None);
            },
            "a start without a token, or a token without one",
        ),
        (|directory| lane(directory).to = LogicalClock(0), LEASE_ENDS_FIRST),
        (
            |directory| lane(directory).to = LogicalClock(u64::MAX),
            "a time past the end of the clock",
        ),
        (
            |directory| lane(directory).holder = Some((NodeNumber(1), Incarnation(2))),
            "a lane that is leased to nobody known",
        ),
    ];
    for (damage, expect) in damages {
        let mut damaged = directory.clone();
        damage(&mut damaged);
        let refused = Directory::restore(&damaged.snapshot()).unwrap_err();
        assert_eq!(refused, DecodeError::Contradiction(expect));
    }
}

const LEASE_ENDS_FIRST: &str = "a lane that cannot be, or a lease that ends before it begins";

fn lane(directory: &mut Directory) -> &mut LaneEntry {
    Arc::make_mut(&mut directory.lanes).leased.values_mut().next().unwrap()
}

#[test]
fn counters_that_contradict_each_other_are_refused() {
    let mut directory = cluster(1);
    for name in ["aa", "bb"] {
        apply(&mut directory, &counter(name, CounterMode::Exact)).unwrap();
    }
    let bytes = directory.snapshot();
    let at = bytes.windows(4).position(|four| four == b"aabb").unwrap();
    for (names, expect) in [
        (b"aaaa", "two counters with one name"),
        (b"aa b", "a counter's name that cannot be"),
        ("äb ".as_bytes().try_into().unwrap(), "a counter's name that cannot be"),
    ] {
        let mut damaged = bytes.clone();
        damaged[at..at + 4].copy_from_slice(names);
        let refused = Directory::restore(&damaged).unwrap_err();
        assert_eq!(refused, DecodeError::Contradiction(expect));
    }
    let mut damaged = bytes.clone();
    damaged[at + 5] = 1;
    let refused = Directory::restore(&damaged).unwrap_err();
    assert_eq!(
        refused,
        DecodeError::Contradiction("counters without names, or names without counters")
    );
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Command::decode(&bytes);
        let _ = Directory::restore(&bytes);
        for version in [1, 2, 3] {
            let with_version = [&[version][..], &bytes].concat();
            let _ = Command::decode(&with_version);
            let _ = Directory::restore(&with_version);
        }
    }

    #[test]
    fn a_damaged_snapshot_is_refused_or_another_directory(
        at in any::<proptest::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut directory = cluster(3);
        apply(&mut directory, &create("a", 5, 2)).unwrap();
        apply(&mut directory, &start("n2", 2, &[], 9)).unwrap();
        apply(&mut directory, &lease((2, 1), 0, 8192)).unwrap();
        apply(&mut directory, &counter("a", CounterMode::Exact)).unwrap();
        apply(&mut directory, &counter("b", CounterMode::Leased)).unwrap();
        apply(&mut directory, &create_typed("c", 2, "a TEXT, b DECIMAL(5, 2)")).unwrap();
        let mut bytes = directory.snapshot();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(restored) = Directory::restore(&bytes) {
            prop_assert_eq!(restored.snapshot(), bytes);
        }
    }
}
