//! The kept files, gone through whole and with every byte of them damaged in turn.

use super::rig::STORE;
use crate::fixtures::fixture;
use crate::inspection::*;
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, DiskFile};
use pyralog_model::{Damage, Offset, PartitionId};
use std::path::Path;
use std::sync::Arc;

const PATH: &str = "/file";

fn kept(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn file(bytes: &[u8]) -> Arc<dyn DiskFile> {
    let file = SimDisk::new(1).create(Path::new(PATH)).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file
}

/// Whole frames, and damage, the header's included.
fn segment(bytes: &[u8]) -> (Vec<SegmentFrame>, Vec<Damage>) {
    let file = file(bytes);
    let (_, damage) = SegmentHeader::read(&*file, Path::new(PATH)).unwrap();
    let header = SegmentHeader::appended(STORE, PartitionId::new(1, 0), Offset(0));
    let (mut frames, mut damages) = (Vec::new(), Vec::from_iter(damage));
    let place = SegmentPlace::begin(Offset(0));
    let mut walk = SegmentWalk::new(&*file, Path::new(PATH), &header, place).unwrap();
    while let Some(item) = walk.step().unwrap() {
        match item {
            SegmentItem::Frame(frame) => frames.push(frame),
            SegmentItem::LostBatch(_, damage) | SegmentItem::Damage(damage) => {
                damages.push(damage);
            }
        }
    }
    (frames, damages)
}

/// Whole rounds of the present use, and damage.
fn wal(bytes: &[u8]) -> (Vec<WalRound>, Vec<Damage>) {
    let file = file(bytes);
    let (_, damage) = WalHeader::read(&*file, Path::new(PATH)).unwrap();
    let (mut rounds, mut damages) = (Vec::new(), Vec::from_iter(damage));
    let mut walk = WalWalk::new(&*file, Path::new(PATH), STORE).unwrap();
    while let Some(item) = walk.step().unwrap() {
        match item {
            WalItem::Round(mut round) => {
                damages.extend(round.damage.take());
                rounds.push(round);
            }
            WalItem::Damage(damage) | WalItem::Missing(damage) => damages.push(damage),
        }
    }
    (rounds, damages)
}

fn whole_wal() -> Vec<u8> {
    let mut bytes = kept("v1.wal");
    bytes.resize(32 << 10, 0);
    bytes
}

/// The byte must lie in the damage that is told, or in something whose checksum it
/// breaks.
#[track_caller]
fn each_byte(bytes: &[u8], positions: impl Iterator<Item = usize>, seen: impl Fn(&[u8]) -> bool) {
    for at in positions {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x10;
        assert!(seen(&bytes), "byte {at} was changed and nothing was seen");
    }
}

#[test]
fn a_kept_segment_is_gone_through_to_its_end() {
    let (frames, damages) = segment(&kept("v1.segment"));
    assert_eq!(damages, []);
    let offsets: Vec<_> =
        frames.iter().map(|f| (f.header.base_offset.0, f.header.record_count)).collect();
    assert_eq!(offsets, [(0, 2), (2, 2)]);
    let times: Vec<_> = frames.iter().map(|frame| frame.batch_header.max_timestamp).collect();
    assert_eq!(times, [1_001, 3_001]);
}

#[test]
fn every_byte_of_a_segment_is_watched_and_the_rest_is_shown() {
    let bytes = kept("v1.segment");
    each_byte(&bytes, 0..bytes.len(), |bytes| !segment(bytes).1.is_empty());
    // The second frame is found behind the first, wherever that is damaged.
    let second = segment(&bytes).0[1].position as usize;
    for at in 128..second {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let (frames, damages) = segment(&bytes);
        let [damage] = &damages[..] else { panic!("byte {at}: {damages:?}") };
        assert_eq!((damage.position, damage.end), (128, second as u64), "byte {at}");
        assert_eq!(frames.len(), 1, "byte {at}");
    }
}

#[test]
fn a_cut_segment_is_damaged_at_its_end() {
    let bytes = kept("v1.segment");
    let second = segment(&bytes).0[1].position as usize;
    for len in 128..bytes.len() {
        let (frames, damages) = segment(&bytes[..len]);
        let at_a_frame = len == 128 || len == second;
        assert_eq!(damages.is_empty(), at_a_frame, "{len} bytes: {damages:?}");
        assert_eq!(frames.len(), usize::from(len >= second), "{len} bytes");
        assert!(damages.iter().all(|damage| damage.end == len as u64));
    }
    assert_eq!(segment(&bytes[..60]).1.len(), 1);
}

#[test]
fn a_kept_wal_is_gone_through_to_its_end() {
    let (rounds, damages) = wal(&whole_wal());
    assert_eq!(damages, []);
    let numbers: Vec<_> = rounds.iter().map(|round| (round.round, round.old)).collect();
    assert_eq!(numbers, (0..6).map(|round| (round, false)).collect::<Vec<_>>());
    assert!(rounds.iter().all(|round| round.frames.len() as u64 == round.frame_count));
}

#[test]
fn every_byte_of_a_round_is_watched() {
    let bytes = whole_wal();
    let (rounds, _) = wal(&bytes);
    // The last round's header may be damaged: then nothing tells that there was one.
    for round in &rounds[..rounds.len() - 1] {
        let last = round.frames.last().unwrap();
        let end = last.position as usize + last.header.frame_bytes();
        let all = round.position as usize..end;
        each_byte(&bytes, all, |bytes| !wal(bytes).1.is_empty());
    }
    each_byte(&bytes, 0..40, |bytes| !wal(bytes).1.is_empty() || bytes[10..12] != [0, 0]);
}

#[test]
fn rounds_of_an_earlier_use_are_called_so() {
    let mut bytes = whole_wal();
    let (rounds, _) = wal(&bytes);
    // As if the file had been begun anew with what was its last round.
    let from = rounds[5].position as usize;
    bytes.copy_within(from..from + 4096, 4096);
    let (found, damages) = wal(&bytes);
    let old: Vec<_> = found.iter().map(|round| (round.round, round.old)).collect();
    assert_eq!(old[..3], [(5, false), (1, true), (2, true)]);
    assert_eq!(damages, []);
}

#[test]
fn every_byte_of_an_index_is_watched() {
    let offsets = kept("v1.offsets");
    let whole = OffsetsFile::read(&offsets);
    assert_eq!((whole.damage.clone(), whole.next_offset), (None, Offset(4)));
    assert_eq!(whole.entries, [(Offset(0), 128)]);
    each_byte(&offsets, 0..offsets.len(), |bytes| OffsetsFile::read(bytes).damage.is_some());
    let times = kept("v1.times");
    let whole = TimesFile::read(&times);
    assert_eq!((whole.damage, whole.max_timestamp, whole.entries), (None, 3_001, vec![i64::MIN]));
    each_byte(&times, 0..times.len(), |bytes| TimesFile::read(bytes).damage.is_some());
    for len in 0..offsets.len() {
        assert!(OffsetsFile::read(&offsets[..len]).damage.is_some());
        assert!(TimesFile::read(&times[..len.min(times.len() - 1)]).damage.is_some());
    }
}

#[test]
fn every_byte_of_sessions_is_watched() {
    let bytes = kept("v1.sessions");
    let whole = SessionsFile::read(&bytes, Some(STORE));
    assert_eq!(whole.damage, None);
    let sessions: Vec<_> = whole.sessions.iter().map(|s| (s.session, s.epoch)).collect();
    assert_eq!((sessions, whole.forgotten_session), (vec![(5, 0), (9, 1)], 7));
    let seen = |bytes: &[u8]| SessionsFile::read(bytes, Some(STORE)).damage.is_some();
    each_byte(&bytes, 0..bytes.len(), seen);
    assert!((0..bytes.len()).all(|len| seen(&bytes[..len])));
    // Without the store nothing is said of the checksum.
    assert_eq!(SessionsFile::read(&bytes, None).damage, None);
    let other = pyralog_model::StoreId(STORE.0 + 1);
    assert!(SessionsFile::read(&bytes, Some(other)).damage.is_some());
}
