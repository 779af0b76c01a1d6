//! The scrub finds what a disk forgets, and nothing that is not so.

use super::audit::compacted::{compacted, keyed_and_sealed};
use super::rig::{P, Rig, batch, small};
use super::sessions::in_session;
use crate::*;
use pyralog_env::Disk;
use pyralog_model::{Finding, Offset, Severity};
use std::path::PathBuf;
use std::sync::Arc;

/// Several sealed segments, one of them with sessions.
fn sealed() -> Rig {
    let mut rig = Rig::new(small());
    for time in 0..40 {
        let mut sent = batch(1, 2_000, time);
        if time == 3 {
            sent = in_session(sent, 7, 0, 0);
        }
        rig.append(P, &sent).unwrap();
    }
    rig.finish();
    assert!(rig.logs[&P].sizes().segments > 2);
    rig
}

fn scrubber(rig: &Rig) -> Scrubber {
    Scrubber::new(Arc::new(rig.disk.clone()), &rig.options)
}

/// One whole pass by steps of so many bytes.
fn pass(scrubber: &mut Scrubber, rig: &Rig, step_bytes: u64) -> ScrubReport {
    let mut all = ScrubReport::default();
    while !all.is_over {
        let step = scrubber.step(&rig.logs, step_bytes);
        let most = if step.findings.is_empty() { 3_000 } else { 40_000 };
        assert!(step.bytes < step_bytes + most, "a step reads what it may and a frame");
        all.findings.extend(step.findings);
        all.bytes += step.bytes;
        all.segments += step.segments;
        all.is_over = step.is_over;
    }
    all
}

fn found(rig: &Rig) -> Vec<Finding> {
    pass(&mut scrubber(rig), rig, 10_000).findings
}

#[test]
fn a_sound_store_is_read_whole_and_nothing_is_found() {
    let rig = sealed();
    let sizes = rig.logs[&P].sizes();
    let mut scrubber = scrubber(&rig);
    for step_bytes in [1, 5_000, u64::MAX / 2] {
        let all = pass(&mut scrubber, &rig, step_bytes);
        assert_eq!((all.segments, all.findings), (sizes.segments as u64 - 1, vec![]));
        let last = rig.file(".segment", sizes.segments - 1);
        let last = rig.disk.open(&last).unwrap().len().unwrap();
        assert_eq!(all.bytes + 128 * all.segments, sizes.segment_bytes - last);
    }
}

#[test]
fn a_damaged_batch_is_found_refused_to_readers_and_nothing_else_is() {
    let rig = sealed();
    let path = rig.file(".segment", 1);
    rig.disk.flip_bit(&path, 128 + 80 + 700, 2).unwrap();
    let [finding] = &found(&rig)[..] else { panic!("one place is damaged") };
    assert_eq!((&finding.path, finding.position), (&path, Some(128)));
    assert_eq!(finding.severity, Severity::Damage);
    let first = Offset(rig.logs[&P].view(|view| view.segments[1].base().0));
    let refused = rig.logs[&P].read(first, 10).unwrap_err();
    assert!(matches!(refused, LogError::Corrupt { .. }), "{refused}");
    for offset in [0, first.0 + 1, 39] {
        rig.logs[&P].read(Offset(offset), 10).unwrap();
    }
    assert!(rig.committer.failure().is_none() && rig.writer.failure().is_none());
}

#[test]
fn every_byte_of_a_sealed_segment_and_of_what_is_derived_is_watched() {
    let rig = sealed();
    for ending in [".segment", ".offsets", ".times", ".sessions"] {
        let path = rig.file(ending, 0);
        let len = rig.disk.open(&path).unwrap().len().unwrap();
        let every = if ending == ".segment" { 37 } else { 1 };
        for position in (0..len).step_by(every) {
            rig.disk.flip_bit(&path, position, 5).unwrap();
            assert_eq!(found(&rig).len(), 1, "byte {position} of {ending}");
            rig.disk.flip_bit(&path, position, 5).unwrap();
        }
        assert_eq!(found(&rig), []);
    }
}

#[test]
fn missing_files_and_failing_reads_are_found() {
    let rig = sealed();
    rig.disk.remove_file(&rig.file(".times", 0)).unwrap();
    rig.disk.fail_reads(&rig.file(".segment", 1).display().to_string());
    let found: Vec<(PathBuf, Severity)> =
        found(&rig).into_iter().map(|finding| (finding.path, finding.severity)).collect();
    let expect = [
        (rig.file(".offsets", 0), Severity::Repairable),
        (rig.file(".segment", 1), Severity::Damage),
    ];
    assert_eq!(found, expect);
}

#[test]
fn what_is_removed_or_cut_back_meanwhile_is_left_alone() {
    let mut rig = sealed();
    let mut scrubber = scrubber(&rig);
    scrubber.step(&rig.logs, 3_000);
    // The segment that is being read goes, and the next one too.
    rig.move_start(P, 35).unwrap();
    assert_eq!(pass(&mut scrubber, &rig, 3_000).findings, []);

    let mut rig = sealed();
    let mut scrubber = self::scrubber(&rig);
    scrubber.step(&rig.logs, 3_000);
    // The segment that is being read is the last one now, and shorter.
    rig.truncate(P, 3).unwrap();
    assert_eq!(pass(&mut scrubber, &rig, 3_000).findings, []);
    rig.check();
}

#[test]
fn a_scrub_that_trusts_headers_is_caught() {
    let mut rig = sealed();
    rig.options.mutation = Some(Mutation::ScrubSkipsBatches);
    rig.disk.flip_bit(&rig.file(".segment", 1), 128 + 80 + 700, 2).unwrap();
    assert_eq!(found(&rig), [], "the planted bug sees nothing");
    rig.options.mutation = None;
    assert_eq!(found(&rig).len(), 1);
}

#[test]
fn rewritten_segments_are_read_and_the_last_one_too() {
    let rig = compacted();
    let all = pass(&mut scrubber(&rig), &rig, 700);
    let segments = rig.logs[&P].sizes().segments as u64;
    assert_eq!((all.segments, all.findings), (segments - 1, vec![]));
    let names = rig.logs[&P].view(|view| {
        let rewritten = view.segments.iter().filter(|segment| segment.is_rewritten());
        rewritten.map(|segment| (segment.name, segment.path.clone())).collect::<Vec<_>>()
    });
    let (last, path) = names.last().unwrap();
    let len = rig.disk.open(path).unwrap().len().unwrap();
    for position in (0..len).step_by(29).chain([len - 1]) {
        rig.disk.flip_bit(path, position, 5).unwrap();
        let [finding] = &found(&rig)[..] else { panic!("byte {position} is not watched") };
        assert_eq!((&finding.path, finding.severity), (path, Severity::Damage));
        rig.disk.flip_bit(path, position, 5).unwrap();
    }
    let offsets = last.file(&rig.logs[&P].dir, "offsets");
    rig.disk.flip_bit(&offsets, 20, 5).unwrap();
    assert_eq!(found(&rig)[0].path, offsets);
    rig.disk.flip_bit(&offsets, 20, 5).unwrap();
    // Without the empty one behind it, it is sealed all the same.
    rig.disk
        .remove_file(&rig.logs[&P].view(|view| view.segments.last().unwrap().path.clone()))
        .unwrap();
    let rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    assert_eq!(rig.logs[&P].sizes().segments as u64, segments - 1);
    assert_eq!(pass(&mut scrubber(&rig), &rig, 700).segments, segments - 1);
    rig.disk.flip_bit(path, len - 1, 5).unwrap();
    assert_eq!(found(&rig).len(), 1);
}

#[test]
fn what_is_compacted_meanwhile_is_left_alone() {
    let mut rig = keyed_and_sealed();
    let mut scrubber = scrubber(&rig);
    scrubber.step(&rig.logs, 700);
    rig.compact(P, 1_000_000).unwrap().unwrap();
    // One file is still in the scrub's hand, until its next step.
    assert_eq!(rig.logs[&P].sweep().unwrap(), 1);
    assert_eq!(scrubber.step(&rig.logs, 700).findings, []);
    assert_eq!(rig.logs[&P].sweep().unwrap(), 0);
    assert_eq!(pass(&mut scrubber, &rig, 700).findings, []);
}
