//! Whatever happens to a store, its sessions are the fold over its log.

use super::rig::{P, Rig, STORE, batch, pyramid, small};
use crate::sessions::SNAPSHOT_EXTENSION;
use crate::*;
use bytes::Bytes;
use pyralog_env::{Disk, Monotonic};
use pyralog_model::{Offset, batch_crc, split_batches};
use std::time::Duration;

/// The batch as one of a session.
pub(crate) fn in_session(batch: Bytes, session: i64, epoch: i16, sequence: i32) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[43..51].copy_from_slice(&session.to_be_bytes());
    bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
    bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

/// The fold over what can be read.
fn fold_of(log: &PartitionLog) -> SessionTable {
    let (mut from, end) = log.bounds();
    let mut table = SessionTable::default();
    while from < end {
        let slice = log.read(from, 8 << 10).unwrap();
        for (header, _) in split_batches(slice.pieces.concat().into()).unwrap() {
            from = Offset(header.base_offset as u64).plus(header.records());
            if header.producer_id >= 0 {
                table.fold(&SessionBatch {
                    session: header.producer_id,
                    epoch: header.producer_epoch,
                    base_sequence: header.base_sequence,
                    records: header.record_count as u32,
                    base_offset: Offset(header.base_offset as u64),
                });
            }
        }
    }
    table
}

fn check(rig: &Rig) {
    let log = &rig.logs[&P];
    let expect = fold_of(log);
    assert!(log.view(|view| view.sessions == expect), "the durable table is the fold");
    // Beyond the segments there is only the tail.
    let mut sealed = log.lock_appender().sessions.clone();
    log.view(|view| {
        view.tail.iter().filter_map(Frame::session_batch).for_each(|b| sealed.fold(&b))
    });
    assert_eq!(sealed, expect, "and so is the segments'");
}

/// Appends of a few sessions, some without, with epochs that move.
pub(crate) fn append_some(rig: &mut Rig, from: u64, count: u64) {
    for n in from..from + count {
        let plain = batch(1 + n % 3, 60, n as i64);
        let sent = match n % 7 {
            6 => plain,
            _ => {
                let session = (n % 5) as i64;
                let epoch = (n / 90) as i16;
                in_session(plain, session, epoch, (n * 4 % 1_000) as i32)
            }
        };
        rig.append(P, &sent).unwrap();
        if n % 11 == 0 {
            rig.run_tasks();
        }
    }
}

fn rig() -> Rig {
    Rig::new(LogOptions { segment_bytes: 4 << 10, ..small() })
}

fn snapshots(rig: &Rig) -> Vec<std::path::PathBuf> {
    let dir = paths::partition_dir(&pyramid(), P);
    let names = rig.disk.list(&dir).unwrap().into_iter().map(|entry| entry.name);
    names.filter(|name| name.ends_with(SNAPSHOT_EXTENSION)).map(|name| dir.join(name)).collect()
}

#[test]
fn a_table_survives_power_cuts_with_and_without_its_snapshots() {
    for seed in 0..60 {
        // Every fifth store writes straight into its segments.
        let direct_bytes_min = if seed % 5 == 4 { 1 } else { usize::MAX };
        let mut rig = Rig::new(LogOptions { direct_bytes_min, ..rig().options.clone() });
        append_some(&mut rig, 0, 40 + seed * 2);
        if seed % 3 == 0 {
            rig.finish();
        }
        let mut rig = rig.reboot(seed);
        check(&rig);
        append_some(&mut rig, 500, 30);
        check(&rig);
        let files = snapshots(&rig);
        match seed % 4 {
            // Damage, and absence, cost time and nothing else.
            1 => files.iter().for_each(|path| {
                let file = rig.disk.open(path).unwrap();
                file.write_all_at(&[0xff], 70).unwrap();
                file.sync_all().unwrap();
            }),
            2 => files.iter().for_each(|path| rig.disk.remove_file(path).unwrap()),
            3 => {
                files.last().iter().for_each(|path| rig.disk.remove_file(path).unwrap());
            }
            _ => {}
        }
        let rig = rig.reboot(seed + 1_000);
        check(&rig);
    }
}

#[test]
fn a_snapshot_is_what_a_start_goes_by() {
    let mut rig = rig();
    append_some(&mut rig, 0, 120);
    rig.finish();
    assert!(snapshots(&rig).len() > 3, "one for every sealed segment");
    // A session that only the snapshots know, as after the log's beginning is gone.
    let dir = paths::partition_dir(&pyramid(), P);
    let last = rig.logs[&P].view(|view| view.segments[view.segments.len() - 2].name);
    let (_, facts) = sparse_index::SparseIndex::read_files(&rig.disk, &dir, last).unwrap().unwrap();
    let at = sessions::SealedAt {
        store: STORE,
        partition: P,
        next_offset: facts.next_offset,
        last_lsn: facts.last_lsn,
    };
    let mut table = SessionTable::default();
    let base_offset = Offset(0);
    table.fold(&SessionBatch { session: 99, epoch: 0, base_sequence: 0, records: 1, base_offset });
    let path = last.file(&dir, SNAPSHOT_EXTENSION);
    sessions::write_file(&rig.disk, &path, &table, &at).unwrap();
    rig.disk.sync_dir(&dir).unwrap();
    let rig = rig.reboot(3);
    let (state, _) = rig.logs[&P].session(99);
    assert!(matches!(state, SessionState::Known(_)));
}

#[test]
fn cutting_back_takes_sessions_back() {
    for (seed, back) in [(1, 3), (2, 40), (3, 150), (4, 100_000)] {
        let mut rig = rig();
        append_some(&mut rig, 0, 130);
        if seed % 2 == 0 {
            rig.finish();
        }
        let end = rig.logs[&P].bounds().1.0;
        rig.truncate(P, end.saturating_sub(back)).unwrap();
        check(&rig);
        append_some(&mut rig, 700, 20);
        check(&rig);
        let rig = rig.reboot(seed);
        check(&rig);
    }
}

#[test]
fn logs_without_sessions_have_no_files_for_them() {
    let mut rig = rig();
    for n in 0..120 {
        rig.append(P, &batch(2, 60, n)).unwrap();
    }
    rig.finish();
    assert_eq!(snapshots(&rig), Vec::<std::path::PathBuf>::new());
    let mut rig = rig.reboot(9);
    append_some(&mut rig, 0, 60);
    rig.finish();
    check(&rig.reboot(10));
}

#[test]
fn what_is_forgotten_stays_so_over_a_seal_and_a_start() {
    let mut rig = rig();
    append_some(&mut rig, 80, 20);
    rig.finish();
    let log = rig.logs[&P].clone();
    let hour = Duration::from_secs(3_600);
    log.forget_idle(Monotonic(0), hour);
    assert_eq!(log.forget_idle(Monotonic(0) + hour, hour), 5);
    let forgotten = SessionState::Forgotten { epoch: 1 };
    assert_eq!((log.sessions(), log.session(3).0), (0, forgotten.clone()));
    for n in 0..80 {
        rig.append(P, &batch(2, 60, n)).unwrap();
    }
    rig.finish();
    drop(log);
    let rig = rig.reboot(4);
    assert_eq!(rig.logs[&P].session(3).0, forgotten);
}

#[test]
fn a_start_that_forgets_sealed_sessions_is_caught() {
    let options =
        LogOptions { mutation: Some(Mutation::SessionsForgotten), ..rig().options.clone() };
    let mut rig = Rig::new(options);
    append_some(&mut rig, 0, 100);
    rig.finish();
    let log = rig.reboot(1).logs[&P].clone();
    assert!(log.view(|view| view.sessions != fold_of(&log)));
}
