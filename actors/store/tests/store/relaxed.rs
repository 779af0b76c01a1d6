//! Logs that promise less than a sync, on their own thread.

use super::*;

async fn lead(running: &Running, id: PartitionId, durability: Durability) -> (Writer, Epoch) {
    let log = running.store.create_partition(id, durability).await.unwrap();
    match running.store.submit(Submission::Open(Arc::clone(&log))).await.unwrap() {
        Completion::Opened(opened) => {
            let writer = Writer { log, generation: opened.generation, end: opened.end };
            (writer, Epoch(opened.last_epoch.0 + 1))
        }
        other => panic!("{other:?}"),
    }
}

async fn append(running: &Running, writer: &mut Writer, epoch: Epoch) -> Result<(), LogError> {
    let append = Append {
        partition: writer.log.id(),
        generation: writer.generation,
        epoch,
        base: writer.end,
        batches: batch(&[7; 500]),
        scarab_base: None,
    };
    match running.store.submit(Submission::Append(append)).await? {
        Completion::Accepted(accepted) => {
            writer.end = accepted.end;
            Ok(())
        }
        Completion::Refused(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

const IDS: [(u64, Durability); 2] = [(1, Durability::PageCache), (2, Durability::Memory)];

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_and_a_clean_end_leave_what_was_promised() {
    let rig = Rig { options: LogOptions { offset_block: 64, ..Rig::new().options }, ..Rig::new() };
    // The data directory itself is the operator's.
    pyralog_env::Disk::sync_dir(&rig.disk, std::path::Path::new("/")).unwrap();
    // Where they go on: after a kill above the block, after a clean end where they were.
    let mut ends = [(0, 0), (20, 65), (40, 85)].into_iter();
    for clean in [false, true, true] {
        let running = rig.start().await.unwrap();
        let (written, in_memory) = ends.next().unwrap();
        for ((number, durability), expect) in IDS.into_iter().zip([written, in_memory]) {
            let id = PartitionId::new(number, 0);
            let (mut writer, epoch) = lead(&running, id, durability).await;
            assert_eq!(writer.end.0, expect, "{durability}");
            for _ in 0..20 {
                append(&running, &mut writer, epoch).await.unwrap();
            }
        }
        let metrics = running.store.metrics();
        assert_eq!((metrics.relaxed_batches, metrics.batches, metrics.rounds), (40, 40, 0));
        assert!(metrics.memory_log_bytes > 20 * 500);
        match clean {
            false => running.kill().await,
            true => {
                let gauges = Arc::clone(&running.gauges);
                running.actor.stop(None);
                running.join.await.unwrap();
                assert!(gauges.has_ended_clean());
                // What is synced survives the power, too.
                rig.disk.crash(1);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_of_one_durability() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let id = PartitionId::new(1, 0);
    // As if the power had gone before it was known.
    running.store.create_partition(id, Durability::Fsync).await.unwrap();
    let (mut writer, epoch) = lead(&running, id, Durability::Memory).await;
    append(&running, &mut writer, epoch).await.unwrap();
    assert_eq!(running.store.partition(id).unwrap().durability(), Durability::Memory);
    for other in [Durability::Fsync, Durability::PageCache] {
        let refused = running.store.create_partition(id, other).await.unwrap_err();
        assert!(matches!(refused, LogError::Durability { .. }), "{refused}");
    }
    let mut fsync = {
        let log = running.store.create_partition(PartitionId::new(2, 0), Durability::Fsync).await;
        let log = log.unwrap();
        match running.store.submit(Submission::Open(Arc::clone(&log))).await.unwrap() {
            Completion::Opened(opened) => {
                Writer { log, generation: opened.generation, end: opened.end }
            }
            other => panic!("{other:?}"),
        }
    };
    running.append(&mut fsync, b"x").await.unwrap();
    let late = running.store.create_partition(PartitionId::new(2, 0), Durability::Memory).await;
    assert!(matches!(late, Err(LogError::Durability { .. })));
    running.store.delete_log(id.log).await.unwrap();
    let gone = append(&running, &mut writer, epoch).await.unwrap_err();
    assert!(matches!(gone, LogError::NotOpen(_)), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_anywhere_ends_weaker_logs_as_well() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut strong = running.writer().await;
    let (mut writer, epoch) = lead(&running, PartitionId::new(3, 0), Durability::Memory).await;
    append(&running, &mut writer, epoch).await.unwrap();
    rig.disk.fail_next_sync("/wal/");
    running.append(&mut strong, b"lost").await.unwrap_err();
    let refused = append(&running, &mut writer, epoch).await.unwrap_err();
    assert!(matches!(refused, LogError::Failed { .. }), "{refused}");
    assert_eq!(read_all(&running.store, &writer.log).await, 1, "reads go on");
}
