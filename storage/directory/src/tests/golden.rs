//! The bytes on disk must not move, and hostile ones must not hurt.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(command: Command, expect: &str) {
    let bytes = command.encode();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expect, "{command:?}");
    assert_eq!(Command::decode(&bytes), Ok(command));
}

/// version 1, variant, fields. A failure here means that old data cannot be
/// read: add a variant or a version instead.
#[test]
fn every_command_has_its_bytes() {
    check(found(), "0100bc15");
    check(register("n1", 7), "0101026e310701056b61666b610d31302e302e302e313a39303932");
    check(create("flights", 8, 1), "010207666c696768747308018094ebdc038c80400000");
    check(delete(300), "0103ac02");
    let settings = LogSettings {
        segment_bytes: 65_536,
        max_message_bytes: 1_024,
        durability: Durability::Fsync,
        scarab_ids: true,
    };
    check(Command::AlterLog { number: LogNumber(3), settings }, "010403808004800800");
}

#[test]
fn a_snapshot_has_its_bytes() {
    let mut directory = cluster(1);
    apply(&mut directory, &create("a", 2, 1)).unwrap();
    let hex: String = directory.snapshot().iter().map(|byte| format!("{byte:02x}")).collect();
    let expect = [
        "01",                           // version
        "0301bc150101",                 // index, cluster, last numbers
        "0101026e310101056b61666b61",   // one node: number, name, store, door
        "0d31302e302e302e313a39303932", // its address
        "010101610201",                 // one log: number, name, partitions, replicas
        "8094ebdc038c80400000",         // settings, internal
        "02010101010101",               // two placements
    ];
    assert_eq!(hex, expect.concat());
}

#[test]
fn what_is_not_ours_is_refused() {
    let good = delete(1).encode();
    assert_eq!(
        Command::decode(&[2, 3, 1]),
        Err(DecodeError::Version { found: 2, known: 1 }),
        "a newer version"
    );
    assert_eq!(Command::decode(&[good.clone(), vec![0]].concat()), Err(DecodeError::NotCanonical));
    assert_eq!(
        Command::decode(&[1, 3, 0x81, 0]),
        Err(DecodeError::NotCanonical),
        "1, the long way"
    );
    assert!(matches!(Command::decode(&[1, 99]), Err(DecodeError::Malformed(_))));
    assert!(matches!(Command::decode(&good[..2]), Err(DecodeError::Malformed(_))));
    let long = vec![1; 65_537];
    assert_eq!(Command::decode(&long), Err(DecodeError::TooLong { have: 65_537, most: 65_536 }));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let mut directory = cluster(1);
    apply(&mut directory, &create("a", 2, 1)).unwrap();
    type Damage = fn(&mut Directory);
    let damages: [(Damage, &str); 5] = [
        (|directory| directory.cluster = None, "members without a cluster"),
        (|directory| directory.last_node = 0, "a node number that was never given"),
        (|directory| directory.last_log = 0, "a log number that was never given"),
        (
            |directory| directory.logs.values_mut().for_each(|log| log.entry.partitions = 3),
            "a partition that is on no node, or on an unknown one",
        ),
        (
            |directory| directory.nodes.clear(),
            "a partition that is on no node, or on an unknown one",
        ),
    ];
    for (damage, expect) in damages {
        let mut damaged = directory.clone();
        damage(&mut damaged);
        let refused = Directory::restore(&damaged.snapshot()).unwrap_err();
        assert_eq!(refused, DecodeError::Contradiction(expect));
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Command::decode(&bytes);
        let _ = Directory::restore(&bytes);
        let with_version = [&[1][..], &bytes].concat();
        let _ = Command::decode(&with_version);
        let _ = Directory::restore(&with_version);
    }

    #[test]
    fn a_damaged_snapshot_is_refused_or_another_directory(
        at in any::<proptest::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut directory = cluster(3);
        apply(&mut directory, &create("a", 5, 2)).unwrap();
        let mut bytes = directory.snapshot();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(restored) = Directory::restore(&bytes) {
            prop_assert_eq!(restored.snapshot(), bytes);
        }
    }
}
