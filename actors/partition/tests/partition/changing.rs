//! Logs that change while they serve: settings, schemas, partitions, beginnings; and
//! the cluster's own logs, which users do not change.

use super::{Node, Site, batch, eventually};
use pyralog_model::{ApiError, ErrorCode, LogName, LogSettings, Offset, PartitionId, Schema};
use pyralog_partition::CreateLog;

fn code(error: ApiError) -> ErrorCode {
    error.code
}

fn schema(columns: &str) -> Schema {
    columns.parse().unwrap()
}

fn set(key: &str, value: Option<&str>) -> Vec<(String, Option<String>)> {
    vec![(key.to_owned(), value.map(str::to_owned))]
}

async fn append_all(node: &Node, id: PartitionId, bytes: usize, count: usize) {
    for _ in 0..count {
        node.append(id, &vec![7; bytes]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_make_an_internal_log_at_once_both_get_the_same() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let name: LogName = "__groups".parse().unwrap();
    let make = || node.shen.create_internal_log(name.clone(), 3, LogSettings::default());
    let (one, other) = tokio::join!(make(), make());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.number, one.internal, one.partitions), (other.number, true, 3));
    assert_eq!(make().await.unwrap().number, one.number, "and whoever comes later");
    let users = LogName::for_user("groups").unwrap();
    let refused = node.shen.create_internal_log(users, 1, LogSettings::default()).await;
    assert_eq!(refused.map(|_| ()).map_err(code), Err(ErrorCode::LogNameInvalid));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_read_internal_logs_and_the_cluster_changes_them() {
    let node = Node::start(&Site::new()).await.unwrap();
    let name: LogName = "__groups".parse().unwrap();
    let settings = LogSettings::default();
    let log = node.shen.create_internal_log(name.clone(), 1, settings).await.unwrap();
    let (number, id) = (log.number, PartitionId::new(log.number.0, 0));
    let not_yours = Err(ErrorCode::LogNameInvalid);
    let users = &node.shen;
    assert_eq!(users.append(id, batch(b"x")).await.map(|_| ()).map_err(code), not_yours);
    assert_eq!(users.delete_log(number).await.map_err(code), not_yours);
    assert_eq!(users.add_partitions(number, 2, false).await.map_err(code), not_yours);
    assert_eq!(users.delete_records(id, Offset(0)).await.map(|_| ()).map_err(code), not_yours);
    let altered = users.alter_settings(number, set("scarab.ids", Some("false")), false).await;
    assert_eq!(altered.map(|_| ()).map_err(code), not_yours);
    let altered = users.alter_schema(number, schema("a TEXT")).await;
    assert_eq!(altered.map(|_| ()).map_err(code), not_yours);
    let create = CreateLog { name, ..creation("x", None) };
    assert_eq!(users.create_log(create).await.map(|_| ()).map_err(code), not_yours);
    let clusters = node.shen.for_cluster();
    clusters.append(id, batch(b"kept")).await.unwrap().await.unwrap();
    assert_eq!(node.values(id).await, [b"kept"]);
    assert_eq!(clusters.delete_records(id, Offset(1)).await, Ok(Offset(1)));
    node.kill().await;
}

fn creation(name: &str, schema: Option<Schema>) -> CreateLog {
    CreateLog {
        name: LogName::for_user(name).unwrap(),
        partitions: Some(1),
        replication_factor: None,
        settings: Vec::new(),
        schema,
        validate_only: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_act_on_what_runs_and_on_what_starts_again() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let id = node.create("grown", 1).await.unwrap();
    let segments = |node: &Node| node.shen.partition(id).unwrap().sizes.segments;
    append_all(&node, id, 16 << 10, 24).await;
    assert!(segments(&node) < 2, "a segment of a gigabyte is not full");
    let small = set("segment.bytes", Some("65536"));
    node.shen.alter_settings(id.log, small.clone(), true).await.unwrap();
    assert_eq!(node.shen.log("grown").unwrap().settings, LogSettings::default(), "only checked");
    let altered = node.shen.alter_settings(id.log, small, false).await.unwrap();
    assert_eq!(altered.segment_bytes, 65_536);
    append_all(&node, id, 16 << 10, 60).await;
    eventually("segments of 64 KiB", || segments(&node) > 3).await;
    node.kill().await;
    let node = Node::start(&site).await.unwrap();
    let before = segments(&node);
    append_all(&node, id, 16 << 10, 60).await;
    eventually("and after a start", || segments(&node) > before + 3).await;
    let back = node.shen.alter_settings(id.log, set("segment.bytes", None), false).await;
    assert_eq!(back.unwrap(), LogSettings::default());
    let wrong = node.shen.alter_settings(id.log, set("segmnt.bytes", None), false).await;
    assert_eq!(wrong.map_err(code), Err(ErrorCode::SettingInvalid));
    let ids = set("scarab.ids", Some("false"));
    node.shen.alter_settings(id.log, ids, false).await.unwrap();
    let replaced = node.shen.replace_settings(id.log, set("segment.bytes", Some("70000")), false);
    let replaced = replaced.await.unwrap();
    assert!(replaced.scarab_ids && replaced.segment_bytes == 70_000, "the others are defaults");
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_settings_at_once_neither_undoes_the_other() {
    let node = Node::start(&Site::new()).await.unwrap();
    let id = node.create("shared", 1).await.unwrap();
    let alter = |key, value| node.shen.alter_settings(id.log, set(key, Some(value)), false);
    for (bytes, ids) in [("70000", "false"), ("80000", "true"), ("90000", "false")] {
        let (one, other) = tokio::join!(alter("segment.bytes", bytes), alter("scarab.ids", ids));
        one.unwrap();
        other.unwrap();
        let settings = node.shen.log("shared").unwrap().settings.clone();
        assert_eq!(
            (settings.segment_bytes.to_string(), settings.scarab_ids.to_string()),
            (bytes.into(), ids.into())
        );
    }
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_added_and_serve() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let id = node.create("wide", 2).await.unwrap();
    node.append(id, b"kept").await.unwrap();
    let add = |total, only| node.shen.add_partitions(id.log, total, only);
    add(5, true).await.unwrap();
    assert_eq!(node.shen.log("wide").unwrap().partitions, 2, "only checked");
    add(5, false).await.unwrap();
    let last = PartitionId::new(id.log.0, 4);
    node.append(last, b"new").await.unwrap();
    for total in [0, 4, 5, 17] {
        let refused = add(total, false).await.map_err(code);
        assert_eq!(refused, Err(ErrorCode::PartitionsInvalid), "{total}");
    }
    node.create("rest", 15).await.unwrap();
    assert_eq!(add(6, false).await.map_err(code), Err(ErrorCode::PartitionsInvalid), "no room");
    node.kill().await;
    let node = Node::start(&site).await.unwrap();
    eventually("it serves", || node.shen.watermarks(last).is_ok()).await;
    assert_eq!(node.values(last).await, [b"new"]);
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_grows_and_is_there_after_a_start() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let made = node.shen.create_log(creation("typed", Some(schema("a TEXT")))).await.unwrap();
    assert_eq!(made.schema, Some(schema("a TEXT")));
    let grown = node.shen.alter_schema(made.number, schema("a TEXT, b DATE")).await.unwrap();
    assert_eq!((grown.version, grown.to_string()), (2, "a TEXT, b DATE".to_owned()));
    let again = node.shen.alter_schema(made.number, schema("a TEXT, b DATE")).await.unwrap();
    assert_eq!(again, grown);
    let less = node.shen.alter_schema(made.number, schema("a TEXT")).await;
    assert_eq!(less.map_err(code), Err(ErrorCode::SchemaInvalid));
    let plain = node.create("plain", 1).await.unwrap();
    node.shen.alter_schema(plain.log, schema("c BIGINT")).await.unwrap();
    node.kill().await;
    let node = Node::start(&site).await.unwrap();
    assert_eq!(node.shen.log("typed").unwrap().schema, Some(grown));
    assert_eq!(node.shen.log("plain").unwrap().schema, Some(schema("c BIGINT")));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_moved_stays_where_it_is() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let id = node.create("short", 1).await.unwrap();
    let small = set("segment.bytes", Some("65536"));
    node.shen.alter_settings(id.log, small, false).await.unwrap();
    append_all(&node, id, 16 << 10, 40).await;
    eventually("some segments", || node.shen.partition(id).unwrap().sizes.segments > 3).await;
    let bytes = || node.shen.partition(id).unwrap().sizes.segment_bytes;
    let before = bytes();
    assert_eq!(node.shen.delete_records(id, Offset(20)).await, Ok(Offset(20)));
    assert!(bytes() < before, "segments are removed");
    assert_eq!(node.shen.watermarks(id).unwrap().log_start, Offset(20));
    assert_eq!(node.shen.delete_records(id, Offset(3)).await, Ok(Offset(20)), "never back");
    let past = node.shen.delete_records(id, Offset(41)).await;
    assert_eq!(past.map_err(code), Err(ErrorCode::OffsetOutOfRange));
    let below = node.shen.read(id, Offset(19), 1).await.map(|_| ());
    assert_eq!(below.map_err(code), Err(ErrorCode::OffsetOutOfRange));
    node.kill().await;
    site.disk.crash(1);
    let node = Node::start(&site).await.unwrap();
    eventually("it serves", || node.shen.watermarks(id).is_ok()).await;
    assert_eq!(node.shen.watermarks(id).unwrap().log_start, Offset(20));
    let slice = node.shen.read(id, Offset(20), 1).await.unwrap();
    assert_eq!(slice.watermarks.log_start, Offset(20));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_each_leadership_is_known() {
    let site = Site::new();
    let mut begins = Vec::new();
    for start in 0..4 {
        let node = Node::start(&site).await.unwrap();
        let id = match start {
            0 => node.create("led", 1).await.unwrap(),
            _ => PartitionId::new(1, 0),
        };
        eventually("it serves", || node.shen.watermarks(id).is_ok()).await;
        let marks = node.shen.watermarks(id).unwrap();
        // The third leadership stores nothing, and so the fourth has its number.
        if start != 3 {
            begins.push((marks.epoch, marks.high));
        }
        if start != 2 {
            node.append(id, b"a").await.unwrap();
            node.append(id, b"b").await.unwrap();
        }
        let high = node.shen.watermarks(id).unwrap().high;
        assert_eq!(node.shen.epoch_end(id, marks.epoch).await, Ok(Some((marks.epoch, high))));
        let next = pyralog_model::Epoch(marks.epoch.0 + 1);
        assert_eq!(node.shen.epoch_end(id, next).await, Ok(None), "it has not begun");
        for pair in begins.windows(2) {
            let ((epoch, _), (_, end)) = (pair[0], pair[1]);
            assert_eq!(node.shen.epoch_end(id, epoch).await, Ok(Some((epoch, end))));
        }
        let before = pyralog_model::Epoch(0);
        assert_eq!(node.shen.epoch_end(id, before).await, Ok(Some((before, Offset(0)))));
        node.kill().await;
    }
}
