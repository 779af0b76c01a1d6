//! Logs that were compacted: offsets are missing, between batches and within them.

use crate::node::Node;
use pyralog_model::{BatchBuilder, LogNumber, PartitionId};

/// Forty records of seven keys in batches of four; of each key the last one is left.
async fn compacted(node: &Node) -> u64 {
    let log = node.create("states", 1, "n BIGINT").await;
    for batch in 0..10 {
        let mut builder = BatchBuilder::new();
        for n in batch * 4..batch * 4 + 4 {
            let (key, value) = (format!("k{}", n % 7), format!("{{\"n\": {n}}}"));
            builder.push(1_000 + n, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
        }
        node.append(log, 0, builder.finish().unwrap()).await;
    }
    let set =
        [("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0")];
    let set = set.map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
    node.shen.alter_settings(LogNumber(log), set.to_vec(), false).await.unwrap();
    // A change of settings has old records looked after.
    for look in 0.. {
        let set = ("delete.retention.ms".to_owned(), Some((1_000_000 + look).to_string()));
        node.shen.alter_settings(LogNumber(log), vec![set], false).await.unwrap();
        let view = node.shen.partition(PartitionId::new(log, 0)).unwrap();
        if view.has_gaps && view.sizes.segment_bytes < 1_200 {
            break;
        }
        assert!(look < 10_000, "{view:?}");
    }
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_read_and_counted() {
    let node = Node::start().await;
    compacted(&node).await;
    let left = "SELECT _offset, n, text(_key) FROM states ORDER BY _offset";
    let expect: Vec<String> = (33..40).map(|n| format!("{n} {n} k{}", n % 7)).collect();
    assert_eq!(node.rows(left).await, expect);
    for (sql, expect) in [
        ("SELECT count(*) FROM states", "7"),
        ("SELECT count(*), min(_offset), max(_offset) FROM states", "7 33 39"),
        ("SELECT min(_offset) FROM states", "33"),
        ("SELECT count(*) FROM states WHERE _offset < 20", "0"),
        ("SELECT count(*) FROM states WHERE _offset BETWEEN 30 AND 34", "2"),
        ("SELECT n FROM states WHERE _offset = 35", "35"),
        ("SELECT count(*) FROM (SELECT n FROM states LIMIT 5)", "5"),
        ("SELECT n FROM states ORDER BY _offset DESC LIMIT 1", "39"),
        ("SELECT count(*) FROM states WHERE _timestamp >= to_timestamp_millis(1037)", "3"),
        ("SELECT count(*) FROM states a JOIN states b ON a._offset = b._offset", "7"),
    ] {
        assert_eq!(node.rows(sql).await, [expect], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_afterwards_is_read_as_ever() {
    let node = Node::start().await;
    let log = compacted(&node).await;
    let mut builder = BatchBuilder::new();
    for n in 40..50_i64 {
        let value = format!("{{\"n\": {n}}}");
        builder.push(n, Some(b"new"), Some(value.as_bytes()), &[]);
    }
    node.append(log, 0, builder.finish().unwrap()).await;
    assert_eq!(node.rows("SELECT count(*), sum(n) FROM states").await, ["17 697"]);
    let last = "SELECT n FROM states ORDER BY _offset DESC LIMIT 12";
    let expect: Vec<String> = (38..50).rev().map(|n| n.to_string()).collect();
    assert_eq!(node.rows(last).await, expect);
}
