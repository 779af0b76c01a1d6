//! Replaying all commands, and restoring a snapshot and replaying the rest,
//! lead to the same directory, whatever was refused on the way.

use super::*;
use proptest::prelude::*;

/// Few names, numbers and stores, so that collisions and refusals are common.
fn any_command() -> impl Strategy<Value = Command> {
    let settings = (65_536u64..100_000)
        .prop_map(|segment_bytes| LogSettings { segment_bytes, ..LogSettings::default() });
    let with_settings = (0u64..12, settings);
    prop_oneof![
        1 => (0u128..2).prop_map(|id| Command::FoundCluster { cluster: ClusterId(id) }),
        3 => (0u32..5, 0u128..5).prop_map(|(name, store)| register(&format!("n{name}"), store)),
        6 => (0u32..8, 0u32..5, 0u16..4)
            .prop_map(|(name, partitions, factor)| create(&format!("log{name}"), partitions, factor)),
        3 => (0u32..8, 0u32..5, any_columns())
            .prop_map(|(name, count, columns)| create_typed(&format!("log{name}"), count, columns)),
        4 => (0u64..12, any_columns())
            .prop_map(|(number, columns)| alter_schema(number, columns)),
        4 => (0u64..12, 0u32..9).prop_map(|(number, count)| add_partitions(number, count)),
        3 => (0u64..12).prop_map(delete),
        4 => (0u32..5, 0u128..5, 0u128..4, 0u128..4).prop_map(|(name, store, last, next)| {
            start(&format!("n{name}"), store, &[last], next)
        }),
        4 => ((0u32..5, 0u64..8), 0u64..1 << 25, 0u64..1 << 25)
            .prop_map(|(holder, floor, now)| lease(holder, floor, now)),
        2 => ((0u32..5, 0u64..8), 0u16..4, 0u64..1 << 33, 0u64..1 << 26)
            .prop_map(|(holder, lane, to, used_to)| release(holder, lane, to, used_to)),
        3 => (0u32..5, any::<bool>()).prop_map(|(name, leased)| {
            let mode = if leased { CounterMode::Leased } else { CounterMode::Exact };
            counter(&format!("c{name}"), mode)
        }),
        2 => with_settings.prop_map(|(number, settings)| {
            Command::AlterLog { number: LogNumber(number), settings }
        }),
    ]
}

/// Some are the beginning of others.
fn any_columns() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["a TEXT", "a TEXT, b DATE", "a TEXT, b DATE, c REAL", "b DATE"])
}

fn replay(
    mut directory: Directory,
    commands: &[Command],
) -> (Directory, Vec<Result<Outcome, DirectoryError>>) {
    let outcomes = commands.iter().map(|command| apply(&mut directory, command)).collect();
    (directory, outcomes)
}

proptest! {
    #[test]
    fn a_snapshot_and_the_rest_are_the_whole(
        commands in proptest::collection::vec(any_command(), 0..80),
        at in any::<proptest::sample::Index>(),
    ) {
        let commands = [vec![found()], commands].concat();
        let at = at.index(commands.len());
        let (whole, outcomes) = replay(Directory::default(), &commands);
        let (half, _) = replay(Directory::default(), &commands[..at]);
        let snapshot = half.snapshot();
        let restored = Directory::restore(&snapshot).unwrap();
        prop_assert_eq!(&restored, &half);
        prop_assert_eq!(restored.snapshot(), snapshot, "equal directories, equal bytes");
        let (rest, rest_outcomes) = replay(restored, &commands[at..]);
        prop_assert_eq!(&rest, &whole);
        prop_assert_eq!(rest.snapshot(), whole.snapshot());
        prop_assert_eq!(&rest_outcomes[..], &outcomes[at..]);
        prop_assert_eq!(whole.last_index(), commands.len() as u64);
    }

    #[test]
    fn commands_come_back_from_their_bytes(command in any_command()) {
        prop_assert_eq!(Command::decode(&command.encode()), Ok(command));
    }

    #[test]
    fn numbers_are_never_given_twice(commands in proptest::collection::vec(any_command(), 0..80)) {
        let (_, outcomes) = replay(cluster(1), &commands);
        let created: Vec<u64> = outcomes
            .into_iter()
            .filter_map(|outcome| match outcome {
                Ok(Outcome::LogCreated(number)) => Some(number.0),
                _ => None,
            })
            .collect();
        prop_assert_eq!(created.clone(), (1..=created.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn logs_only_grow(commands in proptest::collection::vec(any_command(), 0..80)) {
        let mut directory = cluster(2);
        for command in commands {
            let before = directory.clone();
            let _ = apply(&mut directory, &command);
            for log in before.logs() {
                let Some(now) = directory.log_by_number(log.number) else { continue };
                prop_assert!(now.partitions >= log.partitions);
                if let Some(schema) = &log.schema {
                    let columns = &now.schema.as_ref().unwrap().columns;
                    prop_assert!(columns.starts_with(&schema.columns));
                }
                for partition in 0..log.partitions {
                    let id = PartitionId::new(log.number.0, partition);
                    prop_assert_eq!(before.placement(id), directory.placement(id));
                }
            }
        }
    }
}
