//! A query sees one state of the logs.

use crate::node::Node;
use crate::shown::{collect, lines};
use pyralog_model::{BatchBuilder, ErrorCode, LogNumber, Offset, PartitionId, split_batches};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_meanwhile_is_not_seen() {
    let node = Node::start().await;
    let log = node.create("numbers", 1, "n BIGINT, pad TEXT").await;
    node.append_numbers(log, 0, 60_000, 100).await;
    // Planned, and stopped by a channel of a few batches: most of it is still unread.
    let rows = node.run("SELECT n FROM numbers").await;
    let twice = node
        .run("SELECT count(*), count(b.n) FROM numbers a, numbers b WHERE a._offset = b._offset");
    node.append_numbers(log, 0, 20_000, 100).await;
    let mut seen = lines(&collect(rows).await.unwrap());
    seen.sort_by_key(|n| n.parse::<u64>().unwrap());
    let expect: Vec<String> = (0..60_000).map(|n| n.to_string()).collect();
    assert_eq!(seen, expect);
    assert_eq!(lines(&collect(twice.await).await.unwrap()), ["80000 80000"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_named_twice_is_the_same_log_while_it_grows() {
    let node = Node::start().await;
    let log = node.create("numbers", 1, "n BIGINT").await;
    node.append_numbers(log, 0, 100, 10).await;
    let (shen, stop) = (node.shen.clone(), Arc::new(AtomicBool::new(false)));
    let flag = stop.clone();
    let writer = tokio::spawn(async move {
        let mut batch = BatchBuilder::new();
        while !flag.load(Ordering::Relaxed) {
            batch.push(0, None, Some(b"{}"), &[]);
            let batches = split_batches(batch.finish().unwrap()).unwrap();
            let appended = shen.append(PartitionId::new(log, 0), batches).await.unwrap();
            appended.await.unwrap();
        }
    });
    for _ in 0..50 {
        let rows = node
            .rows("SELECT (SELECT count(*) FROM numbers), (SELECT max(_offset) + 1 FROM numbers)")
            .await;
        let (count, end) = rows[0].split_once(' ').unwrap();
        assert_eq!(count, end);
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_goes_while_it_is_read_is_an_error_and_not_the_end() {
    let node = Node::start().await;
    let log = node.create("numbers", 1, "n BIGINT, pad TEXT").await;
    node.append_numbers(log, 0, 100_000, 100).await;
    let mut rows = node.run("SELECT n, pad FROM numbers").await;
    rows.next().await.unwrap().unwrap();
    node.shen.delete_log(LogNumber(log)).await.unwrap();
    let error = collect(rows).await.expect_err("most of it is unread");
    let gone = matches!(error.code, ErrorCode::LogNotFound | ErrorCode::Unavailable);
    assert!(gone, "{error:?}");
    assert!(
        node.error("SELECT * FROM numbers").await.message.contains("there is no log 'numbers'")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_records_are_an_error_for_who_reads_them_and_gone_for_the_next() {
    let node = Node::start().await;
    let log = node.create("numbers", 1, "n BIGINT, pad TEXT").await;
    node.append_numbers(log, 0, 100_000, 100).await;
    let mut rows = node.run("SELECT n, pad FROM numbers").await;
    rows.next().await.unwrap().unwrap();
    let deleted = node.shen.delete_records(PartitionId::new(log, 0), Offset(99_950)).await;
    deleted.unwrap();
    let error = collect(rows).await.expect_err("what is left of it is gone");
    assert_eq!(error.code, ErrorCode::OffsetOutOfRange);
    assert!(error.message.contains("run it again"), "{}", error.message);
    assert_eq!(node.rows("SELECT count(*), min(n) FROM numbers").await, ["50 99950"]);
}
