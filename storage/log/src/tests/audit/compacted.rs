//! The same of a partition that was compacted: the manifest says which files count.

use super::*;
use crate::tests::compaction::compacting;
use bytes::Bytes;
use pyralog_model::BatchBuilder;

/// A record with one of a few keys, of one of three producers.
pub(crate) fn keyed(number: i64) -> Bytes {
    let (key, value) = (format!("k{}", number % 20), format!("{number} {}", "v".repeat(80)));
    let mut builder = BatchBuilder::new();
    builder.push(number, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
    in_session(builder.finish().unwrap(), 7 + number % 3, 0, number as i32 / 3)
}

/// Sealed segments and an empty one behind them, to be compacted.
pub(crate) fn keyed_and_sealed() -> Rig {
    let mut rig = Rig::new(LogOptions { segment_bytes: 2 << 10, ..small() });
    rig.logs[&P].set_upkeep(compacting());
    for number in 0..120 {
        rig.append(P, &keyed(number)).unwrap();
    }
    rig.finish();
    let log = rig.logs[&P].clone();
    rig.writer.seal(&log).unwrap();
    log.set_segment_bytes(8 << 10);
    rig
}

/// Rewritten segments, an empty one behind them, and what they were made of.
pub(crate) fn compacted() -> Rig {
    let mut rig = keyed_and_sealed();
    let report = rig.compact(P, 1_000_000).unwrap().unwrap();
    assert!(report.segments_written > 1 && report.records_removed == 100, "{report:?}");
    rig
}

/// Nothing of before is left.
fn swept() -> Rig {
    let rig = compacted();
    assert_eq!(rig.logs[&P].sweep().unwrap(), 0);
    rig
}

fn dir() -> PathBuf {
    paths::partition_dir(&pyramid(), P)
}

/// The rewritten segments, by the manifest.
fn entries(rig: &Rig) -> Vec<RewrittenSegment> {
    rig.checkpoints.load().unwrap().manifests[&P].segments.clone()
}

fn change(rig: &Rig, change: impl FnOnce(&mut Vec<RewrittenSegment>)) {
    change(&mut rig.checkpoints.0.lock().unwrap().manifests.get_mut(&P).unwrap().segments);
}

#[test]
fn a_sound_compacted_partition_has_no_findings() {
    let rig = swept();
    let report = look(&rig);
    assert_eq!(report.findings, []);
    assert_eq!((report.records, report.segments), (20, entries(&rig).len() as u64 + 1));
    let request = AuditRequest {
        disk: &rig.disk,
        pyramid: &pyramid(),
        store: STORE,
        checkpoints: None,
        placed: None,
    };
    let without = audit(&request, &mut |_| {});
    let findings = without.findings.iter().filter(|finding| finding.path.starts_with(dir()));
    assert_eq!((findings.count(), without.records), (0, 20), "files tell of themselves");
    assert!(serves(&rig));
}

#[test]
fn every_byte_of_a_rewritten_segment_is_watched() {
    let rig = swept();
    for index in 0..entries(&rig).len() {
        let path = entries(&rig)[index].name().file(&dir(), "segment");
        let len = rig.disk.open(&path).unwrap().len().unwrap();
        for position in (0..130).chain((130..len).step_by(23)).chain([len - 1]) {
            rig.disk.flip_bit(&path, position, 3).unwrap();
            one(&rig, &path, Severity::Damage, "");
            rig.disk.flip_bit(&path, position, 3).unwrap();
        }
    }
    for (ending, position) in [(".offsets", 17), (".times", 33), (".sessions", 70)] {
        let path = rig.file(ending, 0);
        rig.disk.flip_bit(&path, position, 1).unwrap();
        one(&rig, &path, Severity::Repairable, "");
        rig.disk.flip_bit(&path, position, 1).unwrap();
    }
    assert_eq!(look(&rig).findings, []);
}

#[test]
fn what_a_compaction_leaves_is_named_and_the_next_start_removes_it() {
    let rig = compacted();
    // Readers have the old ones in hand still. And one that was never finished.
    let unfinished = dir().join("00000000000000000000.9.segment");
    rig.disk.create(&unfinished).unwrap();
    let report = look(&rig);
    assert!(report.findings.len() > 3, "{:#?}", report.findings);
    for finding in &report.findings {
        assert_eq!(finding.severity, Severity::Note, "{finding:?}");
        assert!(finding.what.contains("holds its offsets"), "{finding:?}");
        assert!(finding.advice.starts_with("the next start removes it"), "{finding:?}");
    }
    let named: BTreeSet<PathBuf> = report.findings.into_iter().map(|found| found.path).collect();
    assert!(named.contains(&unfinished));
    let mut files = Vec::new();
    files_below(&rig.disk, &dir(), &mut files);
    let rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    let mut left = Vec::new();
    files_below(&rig.disk, &dir(), &mut left);
    let is_segment = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "segment");
    let gone = files.iter().filter(|path| !left.contains(path)).filter(is_segment);
    assert_eq!(gone.cloned().collect::<BTreeSet<_>>(), named, "those and no others");
    assert_eq!(look(&rig).findings, []);
}

#[test]
fn files_that_are_not_what_the_manifest_says_are_told() {
    let rig = swept();
    let path = entries(&rig)[0].name().file(&dir(), "segment");
    rig.disk.remove_file(&path).unwrap();
    one(&rig, &path, Severity::Damage, "is missing");
    assert!(!serves(&rig));

    // Cut where a frame ends: only the manifest and the header know that there was more.
    let rig = swept();
    let last = *entries(&rig).last().unwrap();
    let path = last.name().file(&dir(), "segment");
    let file = rig.disk.open(&path).unwrap();
    let header = inspection::SegmentHeader::read(&*file, &path).unwrap().0;
    let place = inspection::SegmentPlace::begin(header.base);
    let mut walk = inspection::SegmentWalk::new(&*file, &path, &header, place).unwrap();
    let mut begins = Vec::new();
    while let Some(inspection::SegmentItem::Frame(frame)) = walk.step().unwrap() {
        begins.push(frame.position);
    }
    file.set_len(*begins.last().unwrap()).unwrap();
    let found = wrong(&rig);
    assert!(found.iter().all(|f| f.path == path && f.severity == Severity::Damage), "{found:#?}");
    for what in ["and meta.redb says", "frames up to offset 120"] {
        assert!(found.iter().any(|finding| finding.what.contains(what)), "{found:#?}");
    }
    assert!(!serves(&rig));

    let rig = swept();
    change(&rig, |segments| segments[0].end.0 -= 1);
    assert!(wrong(&rig).iter().any(|finding| finding.severity == Severity::Damage));
    assert!(!serves(&rig));

    // A manifest of before the last round: the files of then are gone.
    let rig = swept();
    change(&rig, Vec::clear);
    assert!(wrong(&rig).iter().any(|finding| finding.severity == Severity::Damage));
    assert!(!serves(&rig));
}

#[test]
fn a_rewritten_segment_at_the_end_is_sealed_all_the_same() {
    let rig = swept();
    let last = rig.logs[&P].view(|view| view.segments.last().unwrap().name);
    assert_eq!(last.generation, 0);
    rig.disk.remove_file(&last.file(&dir(), "segment")).unwrap();
    rig.disk.sync_dir(&dir()).unwrap();
    assert_eq!(look(&rig).findings, []);
    let path = entries(&rig).last().unwrap().name().file(&dir(), "segment");
    let len = rig.disk.open(&path).unwrap().len().unwrap();
    rig.disk.flip_bit(&path, len - 1, 0).unwrap();
    one(&rig, &path, Severity::Damage, "CRC");
    rig.disk.flip_bit(&path, len - 1, 0).unwrap();
    let mut rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    rig.append(P, &keyed(120)).unwrap();
    assert_eq!(look(&rig).findings, [], "the next frame begins a segment");
    rig.finish();
    assert_eq!(look(&rig).findings, []);
}

/// A life with compaction, at any moment of which the power goes.
fn lived(seed: u64) -> Rig {
    let chance = SimEntropy::new(seed);
    let below = |most: u64| chance.next_u64() % most;
    let mut rig = Rig::new(LogOptions { segment_bytes: 1 << 10, ..small() });
    rig.logs[&P].set_upkeep(compacting());
    let log = rig.logs[&P].clone();
    let mut number = 0;
    for _ in 0..40 + below(80) {
        match below(24) {
            0..2 => {
                let bytes = if below(2) == 0 { u64::MAX } else { below(40_000) };
                let now = 1_000_000 + number * 500;
                let _ = rig.compact_with(P, now, log.bounds().1, 1 << 20, bytes);
            }
            2 => _ = log.sweep().unwrap(),
            3 => {
                rig.run_tasks();
                rig.writer.seal(&log).unwrap();
            }
            4 => log.set_segment_bytes(1 << (10 + below(4))),
            5 if below(4) == 0 => {
                let (start, end) = log.bounds();
                let _ = rig.move_start(P, start.0 + below(end.0 - start.0 + 1));
            }
            5..9 => _ = rig.run_task(),
            _ => {
                rig.append(P, &keyed(number)).unwrap();
                number += 1;
            }
        }
    }
    rig.disk.crash(seed);
    rig
}

#[test]
fn a_power_cut_is_no_damage() {
    no_damage(lived);
}

#[test]
fn whatever_a_start_or_a_reader_refuses_was_told_before() {
    told_before(lived);
}
