//! Logs that promise less than a sync, behind the façade.

use super::{Node, Site, batch};
use pyralog_model::{Durability, Epoch, ErrorCode, LogName, Offset, PartitionId};
use pyralog_partition::{CreateLog, Shen};

fn creation(name: &str, settings: &[(&str, &str)]) -> CreateLog {
    let settings = settings.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    CreateLog {
        name: LogName::for_user(name).unwrap(),
        partitions: Some(1),
        replication_factor: None,
        settings: settings.collect(),
        schema: None,
        validate_only: false,
    }
}

async fn made(shen: &Shen, name: &str, durability: Durability) -> PartitionId {
    let text = durability.to_string();
    let log = shen.create_log(creation(name, &[("pyralog.durability", &text)])).await.unwrap();
    assert_eq!(log.settings.durability, durability);
    PartitionId::new(log.number.0, 0)
}

fn change(key: &str, value: Option<&str>) -> Vec<(String, Option<String>)> {
    vec![(key.to_owned(), value.map(str::to_owned))]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_log_keeps_what_it_promises_over_a_restart() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let all = [Durability::Fsync, Durability::PageCache, Durability::Memory];
    let mut ids = Vec::new();
    for durability in all {
        let id = made(&node.shen, &durability.to_string(), durability).await;
        for value in [b"a", b"b", b"c"] {
            let appended = node.shen.append(id, batch(value)).await.unwrap().await.unwrap();
            assert_eq!(appended.durability, durability);
        }
        assert_eq!(node.values(id).await, [b"a", b"b", b"c"]);
        assert_eq!(node.shen.delete_records(id, Offset(1)).await, Ok(Offset(1)));
        assert_eq!(node.shen.watermarks(id).unwrap().log_start, Offset(1));
        let before = node.shen.read(id, Offset(0), 100).await.map(|_| ()).unwrap_err();
        assert_eq!(before.code, ErrorCode::OffsetOutOfRange);
        ids.push(id);
    }
    let led: Vec<Epoch> = ids.iter().map(|id| node.shen.watermarks(*id).unwrap().epoch).collect();
    node.kill().await;
    let node = Node::start(&site).await.unwrap();
    for ((id, durability), led) in ids.iter().zip(all).zip(led) {
        node.shen.serving(*id).await;
        let marks = node.shen.watermarks(*id).unwrap();
        assert!(marks.epoch > led, "{durability}");
        match durability {
            Durability::Memory => assert!(marks.log_start == marks.high && marks.high > Offset(3)),
            _ => assert_eq!((marks.log_start, marks.high), (Offset(1), Offset(3))),
        }
        let next = node.append(*id, b"d").await.unwrap();
        assert_eq!(next, marks.high, "{durability}");
        // Whoever has read in the epoch before learns where that ended.
        let ended = node.shen.epoch_end(*id, led).await.unwrap();
        let end = if durability == Durability::Memory { marks.log_start } else { Offset(3) };
        assert_eq!(ended, Some((led, end)), "{durability}");
        node.shen.delete_log(id.log).await.unwrap();
    }
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_log_promises_stays() {
    let node = Node::start(&Site::new()).await.unwrap();
    let id = made(&node.shen, "fast", Durability::PageCache).await;
    for value in [Some("fsync"), Some("memory"), None] {
        for validate_only in [true, false] {
            let change = change("pyralog.durability", value);
            let refused =
                node.shen.alter_settings(id.log, change, validate_only).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::SettingInvalid);
            assert!(refused.message.contains("since the log was made"), "{}", refused.message);
        }
    }
    let explicit =
        node.shen.replace_settings(id.log, change("pyralog.durability", Some("fsync")), false);
    assert_eq!(explicit.await.unwrap_err().code, ErrorCode::SettingInvalid);
    // Kafka's older way of changing settings names only those that change.
    let replaced =
        node.shen.replace_settings(id.log, change("retention.ms", Some("5")), false).await;
    assert_eq!(replaced.unwrap().durability, Durability::PageCache);
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_memory_is_not_compacted() {
    let node = Node::start(&Site::new()).await.unwrap();
    let settings = [("cleanup.policy", "compact"), ("pyralog.durability", "memory")];
    for validate_only in [true, false] {
        let create = CreateLog { validate_only, ..creation("never", &settings) };
        let refused = node.shen.create_log(create).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::SettingInvalid);
        assert!(refused.message.contains("use 'delete'"), "{}", refused.message);
    }
    let id = made(&node.shen, "kept", Durability::Memory).await;
    let compact = change("cleanup.policy", Some("compact,delete"));
    let refused = node.shen.alter_settings(id.log, compact, false).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::SettingInvalid);
    let bytes = change("retention.bytes", Some("20000"));
    node.shen.alter_settings(id.log, bytes, false).await.unwrap();
    for _ in 0..40 {
        node.append(id, &[7; 1_000]).await.unwrap();
    }
    let marks = node.shen.watermarks(id).unwrap();
    assert!((20..40).contains(&marks.log_start.0), "{marks:?}");
    node.kill().await;
}
