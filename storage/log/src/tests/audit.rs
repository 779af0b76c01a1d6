//! The audit sees every damage that a start or a reader would meet, and calls
//! nothing damaged that a power cut leaves.

pub(super) mod compacted;

use super::rig::{P, Rig, STORE, batch, pyramid, small};
use super::sessions::in_session;
use crate::*;
use pyralog_env::sim::{SimDisk, SimEntropy};
use pyralog_env::{Disk, Entropy};
use pyralog_model::{Finding, Offset, PartitionId, Severity};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn look(rig: &Rig) -> AuditReport {
    let checkpoints = rig.checkpoints.load().unwrap();
    let request = AuditRequest {
        disk: &rig.disk,
        pyramid: &pyramid(),
        store: STORE,
        checkpoints: Some(&checkpoints),
        placed: None,
    };
    audit(&request, &mut |_| {})
}

/// What is worse than a note.
pub(super) fn wrong(rig: &Rig) -> Vec<Finding> {
    let findings = look(rig).findings.into_iter();
    findings.filter(|finding| finding.severity > Severity::Note).collect()
}

#[track_caller]
fn one(rig: &Rig, path: &Path, severity: Severity, what: &str) {
    let found = wrong(rig);
    let [finding] = &found[..] else { panic!("one finding, not {found:#?}") };
    assert_eq!((finding.path.as_path(), finding.severity), (path, severity), "{finding:?}");
    assert!(finding.what.contains(what), "{finding:?}");
    assert!(!finding.advice.is_empty());
}

/// Sealed segments with sessions, a last one, and frames in the WAL only.
fn written() -> Rig {
    let mut rig = Rig::new(small());
    for number in 0..40 {
        let sent = in_session(batch(1, 2_000, number), 7 + number % 3, 0, number as i32 / 3);
        rig.append(P, &sent).unwrap();
    }
    rig.finish();
    for number in 0..3 {
        rig.append(P, &batch(1, 500, number)).unwrap();
    }
    rig
}

#[test]
fn a_sound_store_has_no_findings() {
    let rig = written();
    let report = look(&rig);
    assert_eq!(report.findings, []);
    let AuditReport { partitions, segments, frames, records, rounds, .. } = report;
    assert_eq!((partitions, frames, records, rounds), (1, 40, 40, 3));
    assert_eq!(segments, rig.logs[&P].sizes().segments as u64);
}

#[test]
fn an_index_of_keys_is_named_with_the_end_of_its_partition() {
    let rig = written();
    assert_eq!(look(&rig).keys, []);
    let dir = paths::partition_dir(&pyramid(), P).join("keys");
    rig.disk.create_dir_all(&dir).unwrap();
    let found = |end| vec![KeysFound { partition: P, dir: dir.clone(), end }];
    // With the three that are in the WAL only.
    assert_eq!(look(&rig).keys, found(Some(Offset(43))));
    let segment = rig.file(".segment", 0);
    rig.disk.remove_file(&segment).unwrap();
    let report = look(&rig);
    assert!(!report.findings.is_empty() && report.keys == found(None), "{report:?}");
}

#[test]
fn each_kind_of_damage_is_told_with_its_place() {
    use Severity::{Damage, Repairable};
    let flips: [(&str, usize, u64, Severity, &str); 9] = [
        (".segment", 0, 20, Damage, "header is damaged"),
        (".segment", 0, 128 + 3, Damage, "PFRM"),
        (".segment", 0, 128 + 20, Damage, "CRC"),
        (".segment", 1, 128 + 80 + 900, Damage, "CRC"),
        (".segment", 2, 128 + 80 + 900, Damage, "CRC"),
        (".offsets", 0, 60, Repairable, "CRC"),
        (".offsets", 1, 17, Repairable, "entries"),
        (".times", 0, 33, Repairable, "CRC"),
        (".sessions", 0, 70, Repairable, "CRC"),
    ];
    for (ending, index, position, severity, what) in flips {
        let rig = written();
        let path = rig.file(ending, index);
        rig.disk.flip_bit(&path, position, 1).unwrap();
        one(&rig, &path, severity, what);
    }
    let rig = written();
    let wal = paths::wal_file(&pyramid(), 0);
    // The last file in use, its second round from the end.
    let rounds = (0..3).find_map(|number| {
        let path = paths::wal_file(&pyramid(), number);
        let needed = rig.checkpoints.load().unwrap().wal.first_needed_round;
        round_at(&rig, &path, needed + 1).map(|position| (path, position))
    });
    let (path, position) = rounds.unwrap_or((wal, 0));
    rig.disk.flip_bit(&path, position + 300, 1).unwrap();
    one(&rig, &path, Damage, "is damaged");
    rig.disk.flip_bit(&path, position + 300, 1).unwrap();
    rig.disk.flip_bit(&path, position + 20, 1).unwrap();
    one(&rig, &path, Damage, "is missing before");
}

#[test]
fn lost_records_are_told_by_their_offsets() {
    let rig = written();
    let path = rig.file(".segment", 1);
    let base = rig.logs[&P].view(|view| view.segments[1].base().0);
    let frame_bytes = rig.logs[&P].view(|view| view.segments[1].extent(|extent| extent.bytes));
    let frames = rig.logs[&P].view(|view| view.segments[2].base().0) - base;
    let second = 128 + (frame_bytes - 128) / frames;
    // The header of the second frame, and the batch of the third.
    rig.disk.flip_bit(&path, second + 30, 1).unwrap();
    rig.disk.flip_bit(&path, second + (second - 128) + 300, 1).unwrap();
    let found = wrong(&rig);
    let advice: Vec<_> = found.iter().map(|finding| &finding.advice[..20]).collect();
    let lost = |from: u64| format!("records {from}..{} are lost", from + 1)[..20].to_owned();
    assert_eq!(advice, [lost(base + 1), lost(base + 2)], "{found:#?}");
}

fn round_at(rig: &Rig, path: &Path, round: u64) -> Option<u64> {
    let file = rig.disk.open(path).ok()?;
    let mut walk = inspection::WalWalk::new(&*file, path, STORE).unwrap();
    while let Some(item) = walk.step().unwrap() {
        if let inspection::WalItem::Round(found) = item
            && found.round == round
            && !found.old
        {
            return Some(found.position);
        }
    }
    None
}

#[test]
fn missing_cut_and_exchanged_files_are_told() {
    use Severity::{Damage, Repairable};
    let rig = written();
    let path = rig.file(".segment", 1);
    rig.disk.remove_file(&path).unwrap();
    let found = wrong(&rig);
    assert!(
        found.iter().any(|f| f.severity == Damage && f.what.contains("the one before it ends"))
    );

    let rig = written();
    let path = rig.file(".segment", 0);
    let file = rig.disk.open(&path).unwrap();
    file.set_len(file.len().unwrap() - 1).unwrap();
    one(&rig, &path, Damage, "a batch of");

    let rig = written();
    rig.disk.remove_file(&rig.file(".times", 0)).unwrap();
    let name = rig.logs[&P].view(|view| view.segments[0].name);
    let times = name.file(&paths::partition_dir(&pyramid(), P), "times");
    one(&rig, &times, Repairable, "is missing");

    let rig = written();
    exchange(&rig.disk, &rig.file(".offsets", 0), &rig.file(".offsets", 1));
    let found = wrong(&rig);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|f| f.severity == Repairable && f.what.contains("another segment")));

    let rig = written();
    exchange(&rig.disk, &rig.file(".segment", 0), &rig.file(".segment", 1));
    let found = wrong(&rig);
    assert!(found.iter().filter(|f| f.what.contains("it was moved here")).count() == 2);

    let rig = written();
    rig.disk.remove_dir_all(&paths::partition_dir(&pyramid(), P)).unwrap();
    one(&rig, &paths::partition_dir(&pyramid(), P), Damage, "is missing, with its records 0..40");
}

fn exchange(disk: &SimDisk, one: &Path, other: &Path) {
    let between = PathBuf::from("/data/between");
    disk.rename(one, &between).unwrap();
    disk.rename(other, one).unwrap();
    disk.rename(&between, other).unwrap();
}

#[test]
fn a_checkpoint_that_promises_more_than_there_is_is_told() {
    let rig = written();
    let dir = paths::partition_dir(&pyramid(), P);
    rig.checkpoints.0.lock().unwrap().partitions.get_mut(&P).unwrap().next_offset = Offset(41);
    one(&rig, &dir, Severity::Damage, "was synced up to offset 41, and ends at 40");
}

#[test]
fn leftovers_are_noted_and_nothing_more() {
    let mut rig = written();
    rig.move_start(P, 20).unwrap();
    let dir = paths::partition_dir(&pyramid(), P);
    for name in ["notes.txt", "00000000000000000000.segment.new"] {
        rig.disk.create(&dir.join(name)).unwrap();
    }
    rig.disk.create_dir_all(&paths::logs_dir(&pyramid()).join("9.deleted")).unwrap();
    rig.disk.create_dir_all(&paths::logs_dir(&pyramid()).join("007")).unwrap();
    let report = look(&rig);
    assert!(report.findings.iter().all(|finding| finding.severity == Severity::Note));
    assert_eq!(report.findings.len(), 4, "{:#?}", report.findings);
    // A partition that the directory knows nothing of.
    let (checkpoints, placed) = (rig.checkpoints.load().unwrap(), BTreeSet::new());
    let request = AuditRequest {
        disk: &rig.disk,
        pyramid: &pyramid(),
        store: STORE,
        checkpoints: Some(&checkpoints),
        placed: Some(&placed),
    };
    assert_eq!(audit(&request, &mut |_| {}).findings.len(), 5);
}

/// A life of a store that ends with a power cut.
fn lived(seed: u64) -> Rig {
    let chance = SimEntropy::new(seed);
    let below = |most: u64| chance.next_u64() % most;
    let direct = if seed.is_multiple_of(3) { 3_000 } else { usize::MAX };
    let mut rig = Rig::new(LogOptions { direct_bytes_min: direct, ..small() });
    let second = PartitionId::new(1, 1);
    rig.create(second);
    let mut sequence = 0;
    for step in 0..below(60) {
        let id = if below(3) == 0 { second } else { P };
        match below(20) {
            0 => {
                // Batches have at most three records: not back before the start.
                let (start, end) = rig.logs[&id].bounds();
                let kept = 3 + below(end.0 - start.0 + 1);
                let _ = rig.truncate(id, (start.0 + kept).min(end.0));
            }
            1 => {
                let (start, end) = rig.logs[&id].bounds();
                let _ = rig.move_start(id, start.0 + below(end.0 - start.0 + 1));
            }
            2..6 => _ = rig.run_task(),
            6..10 if id == second => {
                let sent = in_session(batch(1, below(900) as usize, step as i64), 3, 0, sequence);
                rig.append(id, &sent).unwrap();
                sequence += 1;
            }
            _ => {
                let sent = batch(1 + below(3), below(5_000) as usize, step as i64);
                rig.append(id, &sent).unwrap();
            }
        }
    }
    rig.disk.crash(seed);
    rig
}

/// True if the store starts and everything in it can be read.
fn serves(rig: &Rig) -> bool {
    let opened = Rig::open(rig.disk.clone(), rig.checkpoints.clone(), rig.options.clone());
    let Ok(opened) = opened else { return false };
    opened.logs.values().all(|log| {
        let (mut from, end) = log.bounds();
        while from < end {
            let Ok(slice) = log.read(from, 1 << 20) else { return false };
            for (header, _) in slice
                .pieces
                .iter()
                .flat_map(|piece| pyralog_model::stored_batches(piece.clone()).unwrap_or_default())
            {
                from = Offset(header.base_offset as u64 + header.offsets());
            }
        }
        true
    })
}

#[test]
fn a_power_cut_is_no_damage() {
    no_damage(lived);
}

fn no_damage(lived: fn(u64) -> Rig) {
    for seed in 0..400 {
        let rig = lived(seed);
        assert_eq!(wrong(&rig), [], "seed {seed}");
        assert!(serves(&rig), "seed {seed}");
    }
}

#[test]
fn whatever_a_start_or_a_reader_refuses_was_told_before() {
    told_before(lived);
}

fn told_before(lived: fn(u64) -> Rig) {
    let (mut refused, mut told) = (0, 0);
    for seed in 0..400 {
        let rig = lived(seed);
        let chance = SimEntropy::new(seed + 1_000_000);
        let mut files = Vec::new();
        files_below(&rig.disk, &pyramid(), &mut files);
        let path = &files[(chance.next_u64() % files.len() as u64) as usize];
        let len = rig.disk.open(path).unwrap().len().unwrap();
        if len == 0 {
            continue;
        }
        let position = chance.next_u64() % len.min(20_000);
        rig.disk.flip_bit(path, position, (chance.next_u64() % 8) as u32).unwrap();
        let found = wrong(&rig).iter().any(|finding| finding.severity == Severity::Damage);
        let serves = serves(&rig);
        assert!(found || serves, "seed {seed}: byte {position} of {path:?} was not told");
        refused += u32::from(!serves);
        told += u32::from(found);
    }
    assert!(refused > 30, "{refused} refused, {told} told");
}

fn files_below(disk: &SimDisk, dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in disk.list(dir).unwrap() {
        let path = dir.join(&entry.name);
        match entry.is_dir {
            true => files_below(disk, &path, files),
            false => files.push(path),
        }
    }
}
