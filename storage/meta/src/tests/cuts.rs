//! Power cuts at every kind of moment, creation and recovery among them: what
//! was acknowledged is there, and what was under way is there whole or not.

use super::*;
use std::collections::BTreeMap;

const HISTORIES: u64 = 300;

/// A number below `bound` from the history's own luck.
fn below(chance: &SimEntropy, bound: u64) -> u64 {
    chance.next_u64() % bound
}

/// One history of a store: `step` changes it and its model and says whether
/// that was acknowledged; `check` holds the store against the model before and
/// after the step that was cut. Three cuts each, so that later ones hit
/// recovery and a file with a past.
fn history<Store, Model: Clone>(
    seed: u64,
    mut model: Model,
    open: impl Fn(Arc<SimDisk>) -> Result<Store, MetaError>,
    step: impl Fn(&Store, &mut Model, &SimEntropy) -> Result<(), MetaError>,
    check: impl Fn(&Store, &[&Model]) -> Model,
) -> CutReport {
    let (disk, chance) = (sim(seed), SimEntropy::new(seed));
    let mut report = CutReport::default();
    let mut candidate = model.clone();
    for round in 0..3 {
        disk.arm_crash_at(below(&chance, [40, 60, 160][round]));
        if let Ok(store) = open(disk.clone()) {
            // Opened, so this much is certain from here on.
            model = check(&store, &[&model, &candidate]);
            candidate = model.clone();
            while step(&store, &mut candidate, &chance).is_ok() {
                model = candidate.clone();
            }
        }
        assert!(disk.is_off(), "seed {seed}: failed without a cut");
        report += disk.crash(chance.next_u64());
    }
    let store = open(disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    check(&store, &[&model, &candidate]);
    report
}

#[test]
fn checkpoints_survive_cuts_whole() {
    type Model = (BTreeMap<PartitionId, PartitionCheckpoint>, Option<WalCheckpoint>);
    let step = |store: &MetaStore, model: &mut Model, chance: &SimEntropy| {
        if below(chance, 8) == 0 {
            let log = LogNumber(below(chance, 4));
            model.0.retain(|partition, _| partition.log != log);
            return store.remove_log(log);
        }
        let mut changes = Vec::new();
        for _ in 0..below(chance, 60) {
            let partition = PartitionId::new(below(chance, 4), below(chance, 50) as u32);
            changes.push((partition, checkpoint(below(chance, 1 << 40))));
        }
        let wal = (below(chance, 2) == 0).then(|| WalCheckpoint {
            first_needed_round: below(chance, 1 << 40),
            next_lsn: below(chance, 1 << 40),
        });
        model.0.extend(changes.iter().copied());
        model.1 = wal.or(model.1);
        store.save_checkpoints(&changes, wal)
    };
    let mut sum = CutReport::default();
    for seed in 0..HISTORIES {
        sum += history(
            seed,
            Model::default(),
            |disk| MetaStore::open(disk, Path::new(FILE)),
            step,
            |store, allowed| {
                let found = store.load_checkpoints().unwrap();
                let found = (found.partitions, found.wal);
                assert!(allowed.contains(&&found), "seed {seed}: {found:?} is none of {allowed:?}");
                found
            },
        );
    }
    every_kind_was_cut(&sum);
}

#[test]
fn commands_survive_cuts_whole() {
    type Model = (Option<(u64, Vec<u8>)>, Vec<(u64, Vec<u8>)>);
    let step = |log: &CommandLog, model: &mut Model, chance: &SimEntropy| {
        let snapshot = model.0.as_ref().map_or(0, |(index, _)| *index);
        let last = snapshot + model.1.len() as u64;
        if below(chance, 5) == 0 {
            let index = snapshot + below(chance, last - snapshot + 1);
            let bytes = vec![index as u8; below(chance, 20_000) as usize];
            model.1.retain(|(command, _)| *command > index);
            model.0 = Some((index, bytes.clone()));
            return log.save_snapshot(index, &bytes);
        }
        let commands: Vec<Vec<u8>> =
            (0..1 + below(chance, 5)).map(|n| vec![n as u8; below(chance, 300) as usize]).collect();
        model.1.extend((last + 1..).zip(commands.iter().cloned()));
        log.append(last + 1, &commands)
    };
    let mut sum = CutReport::default();
    for seed in 0..HISTORIES {
        sum += history(
            seed,
            Model::default(),
            |disk| CommandLog::open(disk, Path::new(FILE)),
            step,
            |log, allowed| {
                let found = log.load().unwrap();
                assert!(allowed.contains(&&found), "seed {seed}: {found:?} is none of {allowed:?}");
                found
            },
        );
    }
    every_kind_was_cut(&sum);
}

#[test]
fn a_kill_after_the_rename_does_not_leave_a_name_that_a_cut_takes() {
    for seed in 0..50 {
        let disk = sim(seed);
        // Everything but the directory sync: as a process killed just before it.
        let mut operations = 0;
        loop {
            disk.arm_crash_at(operations);
            let opened = MetaStore::open(disk.clone(), Path::new(FILE)).is_ok();
            disk.kill_process();
            if opened || disk.exists(Path::new(FILE)).unwrap() {
                break;
            }
            operations += 1;
        }
        let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        store.save_checkpoints(&[(PartitionId::new(1, 0), checkpoint(1))], None).unwrap();
        drop(store);
        disk.crash(seed);
        let store = MetaStore::open(disk, Path::new(FILE)).unwrap();
        assert_eq!(store.load_checkpoints().unwrap().partitions.len(), 1);
    }
}

#[test]
fn every_step_of_an_open_may_be_the_last() {
    for (operation, kill) in (0..60).flat_map(|n| [(n, false), (n, true)]) {
        let disk = sim(operation);
        let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        store.save_checkpoints(&[(PartitionId::new(1, 0), checkpoint(1))], None).unwrap();
        drop(store);
        disk.arm_crash_at(operation);
        let opened = MetaStore::open(disk.clone(), Path::new(FILE)).map(drop);
        // A process that was killed in the middle, and then a cut after the next start.
        if kill {
            disk.kill_process();
            MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        }
        disk.crash(operation);
        let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        let found = store.load_checkpoints().unwrap().partitions;
        assert_eq!(found.into_values().collect::<Vec<_>>(), [checkpoint(1)], "cut at {operation}");
        assert_eq!(disk.list(Path::new("/d")).unwrap().len(), 1, "a leftover of {operation}");
        assert!(operation < 59 || opened.is_ok(), "an open has more steps than were cut");
    }
}

/// A test that cuts nothing proves nothing.
fn every_kind_was_cut(sum: &CutReport) {
    for kind in [
        CutKind::DataWrite,
        CutKind::Sync,
        CutKind::Create,
        CutKind::Rename,
        CutKind::DirectorySync,
        CutKind::Extension,
    ] {
        assert!(sum.count(kind).cuts > 0, "{} was never cut:\n{sum}", kind.as_str());
    }
}
