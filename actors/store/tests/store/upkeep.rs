//! The thread that looks after old records, beside a store that works.

use super::*;
use pyralog_log::PartitionSizes;
use pyralog_model::{CleanupPolicy, UpkeepSettings, stored_batches};
use std::collections::BTreeMap;

fn keyed(key: &str, value: Option<&str>, time: i64) -> Vec<(BatchHeader, Bytes)> {
    let mut builder = BatchBuilder::new();
    builder.push(time, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
    split_batches(builder.finish().unwrap()).unwrap()
}

/// Offsets of records that are there.
async fn offsets(store: &StoreHandle, log: &Arc<PartitionLog>) -> Vec<u64> {
    let (mut from, end) = log.bounds();
    let mut found = BTreeMap::new();
    while from < end {
        let slice = store.read(log, from, 1 << 20).await.unwrap();
        for (header, _) in stored_batches(slice.pieces.concat().into()).unwrap() {
            found.insert(header.base_offset as u64, header.records());
            from = Offset(header.base_offset as u64).plus(header.offsets());
        }
    }
    found.into_iter().filter(|(_, records)| *records > 0).map(|(offset, _)| offset).collect()
}

fn compacting() -> UpkeepSettings {
    UpkeepSettings {
        cleanup: CleanupPolicy::Compact,
        segment_ms: 1,
        dirty_millionths_min: 0,
        ..UpkeepSettings::default()
    }
}

/// Sixty records of five keys, and the clock a second later.
async fn written(rig: &Rig, running: &Running) -> Writer {
    let mut writer = running.writer().await;
    for n in 0..60_i64 {
        let value = format!("{n} {}", "v".repeat(900));
        let batch = keyed(&format!("k{}", n % 5), Some(&value), 1_000 + n);
        running.append_all(&mut writer, batch).await.unwrap();
    }
    rig.clock.advance(Duration::from_secs(10));
    writer
}

/// Two looks, and so much time between them that a segment is sealed.
async fn look_after(rig: &Rig, running: &Running) {
    running.store.look_after().await.unwrap();
    rig.clock.advance(Duration::from_millis(1));
    running.store.look_after().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_and_the_store_goes_on() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = written(&rig, &running).await;
    writer.log.set_segment_bytes(16 << 10);
    running.store.look_after().await.unwrap();
    assert_eq!(writer.log.bounds().0, Offset(0), "nobody has said that anything may go");
    let settings = UpkeepSettings { retention_ms: Some(1_000), ..UpkeepSettings::default() };
    writer.log.set_upkeep(settings);
    running.store.look_after().await.unwrap();
    assert_eq!(writer.log.bounds(), (Offset(60), Offset(60)));
    let PartitionSizes { segments, tail_bytes, .. } = writer.log.sizes();
    assert_eq!((segments, tail_bytes), (1, 0));
    let upkeep = running.store.metrics().upkeep;
    assert_eq!(upkeep.expired_offsets, 60);
    running.append_all(&mut writer, keyed("new", Some("x"), 20_000)).await.unwrap();
    running.store.look_after().await.unwrap();
    assert_eq!(offsets(&running.store, &writer.log).await, [60]);
    running.kill().await;
    let running = rig.start().await.unwrap();
    let writer = running.writer().await;
    assert_eq!(offsets(&running.store, &writer.log).await, [60]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_compacted_while_it_is_written_and_read() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = written(&rig, &running).await;
    writer.log.set_segment_bytes(16 << 10);
    writer.log.set_upkeep(compacting());
    running.store.wake_upkeep();
    for n in 0..60_i64 {
        let batch = keyed(&format!("k{}", n % 5), Some("later"), 20_000 + n);
        running.append_all(&mut writer, batch).await.unwrap();
        let there = offsets(&running.store, &writer.log).await;
        assert!(there.contains(&(60 + n as u64)) && there.len() >= 5);
    }
    look_after(&rig, &running).await;
    assert_eq!(offsets(&running.store, &writer.log).await, [115, 116, 117, 118, 119]);
    let upkeep = running.store.metrics().upkeep;
    assert!(upkeep.compactions >= 1 && upkeep.compacted_records >= 115, "{upkeep:?}");
    assert!(upkeep.compaction_bytes_read > upkeep.compaction_bytes_written);
    assert_eq!((upkeep.given_up, upkeep.dirty_millionths_max), (0, 0));
    running.kill().await;
    let running = rig.start().await.unwrap();
    let writer = running.writer().await;
    assert_eq!((writer.end, writer.log.has_gaps()), (Offset(120), true));
    assert_eq!(offsets(&running.store, &writer.log).await, [115, 116, 117, 118, 119]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_left_alone_for_a_while() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let writer = written(&rig, &running).await;
    writer.log.set_upkeep(compacting());
    rig.disk.set_capacity(rig.disk.used_bytes());
    look_after(&rig, &running).await;
    assert_eq!(running.store.metrics().upkeep.given_up, 1);
    assert_eq!(rig.health.get(), Health::Good);
    assert_eq!(offsets(&running.store, &writer.log).await.len(), 60);
    rig.disk.set_capacity(u64::MAX);
    rig.clock.advance(Duration::from_secs(60));
    running.store.look_after().await.unwrap();
    assert_eq!(offsets(&running.store, &writer.log).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_of_a_compacted_file_stops_the_store() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = written(&rig, &running).await;
    writer.log.set_upkeep(compacting());
    rig.disk.fail_next_sync(".1.segment");
    look_after(&rig, &running).await;
    assert!(matches!(rig.health.get(), Health::Failed { .. }));
    let refused = running.append(&mut writer, b"lost").await.unwrap_err();
    assert!(matches!(refused, LogError::Failed { .. }), "{refused}");
    assert_eq!(offsets(&running.store, &writer.log).await.len(), 60, "reads go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_said_once_and_left_alone() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let writer = written(&rig, &running).await;
    // The tail is written, and a bit of it turns over.
    writer.log.set_upkeep(UpkeepSettings { segment_ms: 1, ..UpkeepSettings::default() });
    look_after(&rig, &running).await;
    let segment = PathBuf::from("/data/pyramid/logs/1/0/00000000000000000000.segment");
    rig.disk.flip_bit(&segment, 5_000, 1).unwrap();
    writer.log.set_upkeep(compacting());
    for _ in 0..3 {
        running.store.look_after().await.unwrap();
        rig.clock.advance(Duration::from_secs(3_600));
    }
    assert_eq!(running.store.metrics().upkeep.given_up, 1);
    assert_eq!(rig.health.get(), Health::Good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_ends_in_the_middle_of_a_round() {
    let mut rig = Rig::new();
    // Twelve days for what there is to read.
    rig.upkeep.bytes_per_second_max = 1;
    let running = rig.start().await.unwrap();
    let mut writer = written(&rig, &running).await;
    let large = "v".repeat(200_000);
    for n in 0..10 {
        let batch = keyed(&format!("large {n}"), Some(&large), 1_000);
        running.append_all(&mut writer, batch).await.unwrap();
    }
    writer.log.set_upkeep(compacting());
    running.store.look_after().await.unwrap();
    rig.clock.advance(Duration::from_millis(1));
    running.store.wake_upkeep();
    // It is sealed first, and then it is read.
    while writer.log.sizes().tail_bytes > 0 {
        tokio::task::yield_now().await;
    }
    let ended = tokio::time::timeout(Duration::from_secs(30), async {
        running.actor.stop(None);
        running.join.await.unwrap();
    });
    ended.await.expect("nobody waits for a round");
    assert!(running.gauges.has_ended_clean());
}
