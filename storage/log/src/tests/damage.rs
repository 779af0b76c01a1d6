//! Bytes that are not what was written: a torn tail is cut, a corrupt middle is
//! refused.

use super::rig::{P, Rig, STORE, batch, pyramid, small};
use crate::*;
use pyralog_env::Disk;
use pyralog_model::Offset;
use std::path::Path;

/// Turns one bit over and starts again.
fn restart_damaged(rig: Rig, path: &Path, position: u64) -> Result<Rig, LogError> {
    rig.disk.flip_bit(path, position, 3).unwrap();
    let disk = rig.disk.clone();
    rig.try_reboot(1).inspect_err(|error| {
        let corrupt = matches!(error, LogError::Corrupt { .. });
        assert!(corrupt && disk.exists(path).unwrap(), "{error}");
    })
}

/// Puts other bytes into a file, so that the power cut of a start does not take them.
fn write_durably(rig: &Rig, path: &Path, bytes: &[u8]) {
    let file = rig.disk.open(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file.sync_all().unwrap();
}

#[test]
fn a_corrupt_middle_of_the_wal_is_refused() {
    for damage in [4096 + 8, 4096 + 100, 4096 + 1_000, 8192 + 70] {
        let mut rig = Rig::new(small());
        for time in 0..5 {
            rig.append(P, &batch(1, 2_000, time)).unwrap();
        }
        let path = paths::wal_file(&pyramid(), 0);
        let refused = restart_damaged(rig, &path, damage).err();
        assert!(refused.is_some(), "byte {damage}");
    }
}

#[test]
fn a_torn_last_round_is_dropped() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 2_000, 1)).unwrap();
    rig.append(P, &batch(1, 2_000, 2)).unwrap();
    // Nobody can tell this from a round that was in flight.
    rig.acknowledged.get_mut(&P).unwrap().pop();
    let rig = restart_damaged(rig, &paths::wal_file(&pyramid(), 0), 8192 + 500).unwrap();
    assert_eq!(rig.report.torn_tails, 1);
    rig.reboot(2);
}

#[test]
fn a_corrupt_middle_of_a_segment_is_refused() {
    // The checkpoint vouches for these bytes.
    let mut rig = Rig::new(small());
    for time in 0..5 {
        rig.append(P, &batch(1, 2_000, time)).unwrap();
    }
    rig.finish();
    let path = rig.file(".segment", 0);
    assert!(restart_damaged(rig, &path, 128 + 20).is_err());

    // Nothing but a later frame that was written after their sync does.
    let mut rig = Rig::new(LogOptions { direct_bytes_min: 1, ..small() });
    for time in 0..5 {
        rig.append(P, &batch(1, 2_000, time)).unwrap();
    }
    let path = rig.file(".segment", 0);
    assert!(restart_damaged(rig, &path, 128 + 80 + 500).is_err());
}

#[test]
fn a_batch_damaged_under_a_checkpoint_is_refused_when_it_is_read() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 2_000, 1)).unwrap();
    rig.finish();
    rig.disk.flip_bit(&rig.file(".segment", 0), 128 + 80 + 500, 0).unwrap();
    let error = rig.logs[&P].read(pyralog_model::Offset(0), 10).unwrap_err();
    assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
}

#[test]
fn a_torn_tail_of_a_segment_is_cut() {
    let mut rig = Rig::new(LogOptions { direct_bytes_min: 1, ..small() });
    rig.append(P, &batch(1, 2_000, 1)).unwrap();
    rig.append(P, &batch(1, 2_000, 2)).unwrap();
    rig.acknowledged.get_mut(&P).unwrap().pop();
    let path = rig.file(".segment", 0);
    let len = rig.disk.open(&path).unwrap().len().unwrap();
    let rig = restart_damaged(rig, &path, len - 10).unwrap();
    assert_eq!(rig.report.torn_tails, 1);
    assert!(rig.disk.open(&path).unwrap().len().unwrap() < len);
    rig.reboot(2);
}

#[test]
fn a_missing_segment_is_refused_wherever_it_was() {
    for index in [0, 1, 2] {
        let mut rig = Rig::new(small());
        for time in 0..40 {
            rig.append(P, &batch(1, 2_000, time)).unwrap();
        }
        rig.finish();
        let segments = rig.logs[&P].sizes().segments;
        let index = if index == 2 { segments - 1 } else { index };
        rig.disk.remove_file(&rig.file(".segment", index)).unwrap();
        rig.disk.sync_dir(&paths::partition_dir(&pyramid(), P)).unwrap();
        let error = rig.try_reboot(1).err().expect("a hole is seen");
        assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn damaged_and_missing_indexes_are_made_again() {
    let mut rig = Rig::new(small());
    for time in 0..40 {
        rig.append(P, &batch(1, 2_000, time)).unwrap();
    }
    rig.finish();
    rig.disk.flip_bit(&rig.file(".offsets", 0), 20, 1).unwrap();
    rig.disk.remove_file(&rig.file(".times", 1)).unwrap();
    rig.reboot(1);
}

#[test]
fn a_damaged_segment_header_is_refused() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 2_000, 1)).unwrap();
    rig.finish();
    let path = rig.file(".segment", 0);
    assert!(restart_damaged(rig, &path, 33).is_err());
}

#[test]
fn another_stores_files_are_not_taken() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 2_000, 1)).unwrap();
    rig.finish();
    let disk: std::sync::Arc<dyn Disk> = std::sync::Arc::new(rig.disk.clone());
    let other = pyralog_model::StoreId(STORE.0 + 1);
    let refusal = |disk: std::sync::Arc<dyn Disk>| {
        let keeper = Box::new(rig.checkpoints.clone());
        recover(disk, &pyramid(), other, keeper, small()).err().expect("refused").to_string()
    };
    let refused = refusal(std::sync::Arc::clone(&disk));
    assert!(refused.contains("belongs to store"), "{refused}");
    // Without its WAL the segments are still another store's.
    disk.remove_dir_all(&paths::wal_dir(&pyramid())).unwrap();
    let refused = refusal(disk);
    assert!(refused.contains("header is damaged"), "{refused}");
}

#[test]
fn a_newer_wal_is_not_made_anew() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 2_000, 1)).unwrap();
    let path = paths::wal_file(&pyramid(), 0);
    let error = restart_damaged(rig, &path, 8).err().expect("refused").to_string();
    assert!(error.contains("has version 9, known is 1"), "{error}");
}

/// Found by fuzzing: checksums fit, and the first entry leads past the segment's end. A
/// reader was given nothing there, again and again, as if it were at the end of the log.
#[test]
fn an_index_that_leads_past_its_segment_is_made_again() {
    let mut rig = Rig::new(small());
    for time in 0..40 {
        rig.append(P, &batch(1, 2_000, time)).unwrap();
    }
    rig.finish();
    let path = rig.file(".offsets", 0);
    let mut bytes = rig.disk.read_file(&path).unwrap();
    bytes[56 + 8..56 + 16].copy_from_slice(&(1u64 << 40).to_le_bytes());
    let crc = crc_fast::crc32_iscsi(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    write_durably(&rig, &path, &bytes);
    let rig = rig.try_reboot(1).unwrap();
    let log = &rig.logs[&P];
    let (start, end) = log.bounds();
    assert_eq!((start, end), (Offset(0), Offset(40)));
    for offset in 0..40 {
        assert!(log.read(Offset(offset), 1 << 20).unwrap().bytes > 0, "nothing at {offset}");
    }
}

/// Found by fuzzing: checksums fit, and a frame says that more was synced before it than
/// the segment has.
#[test]
fn a_frame_that_says_too_much_was_synced_is_no_reason_to_fail() {
    let mut rig = Rig::new(small());
    for time in 0..3 {
        rig.append(P, &batch(1, 2_000, time)).unwrap();
    }
    rig.finish();
    let path = rig.file(".segment", 0);
    let mut bytes = rig.disk.read_file(&path).unwrap();
    let frame = &mut bytes[128..];
    frame[72..80].copy_from_slice(&(1u64 << 40).to_le_bytes());
    let crc = crate::keyed_crc::keyed_crc(STORE, &[&frame[8..80], &frame[80..80 + 21]]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    write_durably(&rig, &path, &bytes);
    let rig = rig.try_reboot(1).unwrap();
    assert_eq!(rig.logs[&P].bounds(), (Offset(0), Offset(3)));
}

/// Found by fuzzing: checksums fit, and a segment has come to a later epoch than the
/// frames of the WAL that continue it.
#[test]
fn a_wal_that_goes_back_in_epochs_is_refused() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 2_000, 0)).unwrap();
    rig.finish();
    rig.append(P, &batch(1, 2_000, 1)).unwrap();
    let path = rig.file(".segment", 0);
    let mut bytes = rig.disk.read_file(&path).unwrap();
    let frame = &mut bytes[128..];
    frame[36..40].copy_from_slice(&9u32.to_le_bytes());
    let crc = crate::keyed_crc::keyed_crc(STORE, &[&frame[8..80], &frame[80..80 + 21]]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    write_durably(&rig, &path, &bytes);
    let told = super::audit::wrong(&rig);
    assert!(told.iter().any(|finding| finding.what.contains("epoch")), "{told:?}");
    let error = rig.try_reboot(1).err().unwrap();
    assert!(matches!(&error, LogError::Corrupt { what, .. } if what.contains("epoch")), "{error}");
}

/// Found by fuzzing: checksums fit, and a batch has fewer offsets than its frame. A reader
/// who goes on behind the batch was given it again and again.
#[test]
fn a_batch_with_other_offsets_than_its_frame_is_refused() {
    for (at, byte) in [(23 + 3, 0), (7, 1)] {
        let mut rig = Rig::new(small());
        rig.append(P, &batch(2, 2_000, 0)).unwrap();
        rig.append(P, &batch(2, 2_000, 1)).unwrap();
        rig.finish();
        let path = rig.file(".segment", 0);
        let mut bytes = rig.disk.read_file(&path).unwrap();
        let frame = &mut bytes[128..];
        let end = 80 + u32::from_le_bytes(frame[12..16].try_into().unwrap()) as usize;
        let stored = &mut frame[80..end];
        stored[at] = byte;
        // One record, so that the batch agrees with itself.
        stored[60] = 1;
        let crc = pyralog_model::batch_crc(stored).to_be_bytes();
        stored[17..21].copy_from_slice(&crc);
        let crc = crate::keyed_crc::keyed_crc(STORE, &[&frame[8..80], &frame[80..80 + 21]]);
        frame[4..8].copy_from_slice(&crc.to_le_bytes());
        write_durably(&rig, &path, &bytes);
        let told = super::audit::wrong(&rig);
        assert!(told.iter().any(|finding| finding.what.contains("as the frame says")), "{told:?}");
        let error = rig.logs[&P].read(Offset(0), 1 << 20).unwrap_err();
        assert!(matches!(error, LogError::Corrupt { position: 128, .. }), "{error}");
    }
}

/// Found by fuzzing: a frame with the last LSN there is left none for the next one.
#[test]
fn a_frame_with_the_last_lsn_is_none() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 2_000, 0)).unwrap();
    rig.finish();
    let path = rig.file(".segment", 0);
    let mut bytes = rig.disk.read_file(&path).unwrap();
    let frame = &mut bytes[128..];
    frame[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    let crc = crate::keyed_crc::keyed_crc(STORE, &[&frame[8..80], &frame[80..80 + 21]]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    write_durably(&rig, &path, &bytes);
    assert!(!super::audit::wrong(&rig).is_empty());
    let error = rig.try_reboot(1).err().unwrap();
    assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
}
