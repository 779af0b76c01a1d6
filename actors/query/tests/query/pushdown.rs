//! What a query does not need is not read, and what it does not show not decoded.

use crate::node::{Node, until};
use crate::shown::lines;

/// Records of one partition, in batches of a hundred: ten MiB.
const RECORDS: u64 = 200_000;

async fn numbers() -> Node {
    let node = Node::start().await;
    let log = node.create("numbers", 1, "n BIGINT, pad TEXT").await;
    node.append_numbers(log, 0, RECORDS, 100).await;
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_limits_and_counts_are_pushed_down() {
    let node = numbers().await;
    one_offset_reads_little(&node).await;
    counting_reads_nothing(&node).await;
    a_limit_stops_reading(&node).await;
    the_last_come_first(&node).await;
    time_skips_what_is_older(&node).await;
    only_what_is_shown_is_decoded(&node).await;
    explain_analyze_shows_what_it_cost(&node).await;
    a_key_leads_to_its_records(&node).await;
}

async fn one_offset_reads_little(node: &Node) {
    let (rows, cost) = node.measured("SELECT n FROM numbers WHERE _offset = 123456").await;
    assert_eq!(rows, ["123456"]);
    assert!(cost.bytes_read <= 64 << 10, "{cost:?}");
    assert_eq!((cost.records_read, cost.records_decoded), (1, 1));
    let several = "SELECT n FROM numbers WHERE _offset IN (5, 150000, 99) OR \
                   _offset BETWEEN 700 AND 701 ORDER BY n";
    let (rows, cost) = node.measured(several).await;
    assert_eq!(rows, ["5", "99", "700", "701", "150000"]);
    assert_eq!(cost.records_decoded, 5);
    let (rows, cost) = node.measured("SELECT n FROM numbers WHERE _partition = 7").await;
    assert_eq!((rows.len(), cost.bytes_read), (0, 0));
}

async fn counting_reads_nothing(node: &Node) {
    let counted = "SELECT count(*), min(_offset), max(_offset), max(_partition) FROM numbers";
    let (rows, cost) = node.measured(counted).await;
    assert_eq!(rows, [format!("{RECORDS} 0 {} 0", RECORDS - 1)]);
    assert_eq!(cost.bytes_read, 0, "{cost:?}");
    let some = "SELECT count(*) FROM numbers WHERE _offset >= 1000 AND NOT _offset = 5000";
    let (rows, cost) = node.measured(some).await;
    assert_eq!((rows[0].as_str(), cost.bytes_read), ((RECORDS - 1_001).to_string().as_str(), 0));
    // Not from statistics alone, and still no value is looked into.
    let (rows, cost) = node.measured("SELECT count(*) FROM numbers WHERE _offset % 2 = 0").await;
    assert_eq!((rows[0].as_str(), cost.records_decoded), ((RECORDS / 2).to_string().as_str(), 0));
}

async fn a_limit_stops_reading(node: &Node) {
    let (rows, cost) = node.measured("SELECT n FROM numbers LIMIT 10").await;
    assert_eq!(rows.len(), 10);
    assert!(cost.bytes_read <= 64 << 10, "{cost:?}");
    assert_eq!(cost.records_decoded, 10);
    let found = "SELECT n FROM numbers WHERE n % 1000 = 7 LIMIT 3";
    let (rows, cost) = node.measured(found).await;
    assert_eq!(rows.len(), 3);
    assert!(cost.records_decoded < RECORDS / 3, "{cost:?}");
    let (rows, cost) =
        node.measured("SELECT n FROM numbers ORDER BY _offset LIMIT 2 OFFSET 5").await;
    assert_eq!(rows, ["5", "6"]);
    assert!(cost.records_decoded <= 20, "{cost:?}");
}

async fn the_last_come_first(node: &Node) {
    let last = "SELECT n FROM numbers ORDER BY _offset DESC LIMIT 3";
    let (rows, cost) = node.measured(last).await;
    assert_eq!(rows, ["199999", "199998", "199997"]);
    assert!(cost.records_decoded <= 1_024, "{cost:?}");
    let (rows, cost) = node
        .measured("SELECT _offset FROM numbers WHERE _offset < 500 ORDER BY _offset DESC")
        .await;
    let expect: Vec<String> = (0..500).rev().map(|n: u64| n.to_string()).collect();
    assert_eq!((rows, cost.records_decoded), (expect, 0));
}

async fn time_skips_what_is_older(node: &Node) {
    let late = "SELECT min(n), count(*) FROM numbers \
                WHERE _timestamp >= TIMESTAMP '1970-01-01T00:03:19.990'";
    let (rows, cost) = node.measured(late).await;
    assert_eq!(rows, ["199990 10"]);
    assert!(cost.records_read <= 100 && cost.records_decoded == 10, "{cost:?}");
    let between = "SELECT count(n) FROM numbers WHERE _timestamp BETWEEN \
                   TIMESTAMP '1970-01-01T00:00:00.005' AND TIMESTAMP '1970-01-01T00:00:00.014'";
    let (rows, cost) = node.measured(between).await;
    assert_eq!((rows[0].as_str(), cost.records_decoded), ("10", 10));
    assert_eq!(node.rows("SELECT n FROM numbers WHERE _timestamp > now()").await, [""; 0]);
}

async fn only_what_is_shown_is_decoded(node: &Node) {
    let (rows, cost) =
        node.measured("SELECT _offset, _scarab_id FROM numbers WHERE _offset < 100").await;
    assert_eq!((rows.len(), cost.records_read, cost.records_decoded), (100, 100, 0));
    let (_, cost) = node.measured("SELECT max(_timestamp) FROM numbers").await;
    assert_eq!((cost.records_read, cost.records_decoded), (RECORDS, 0));
}

async fn explain_analyze_shows_what_it_cost(node: &Node) {
    let sql = "EXPLAIN ANALYZE SELECT sum(n) FROM numbers WHERE _offset < 1000";
    let plan = node.rows(sql).await.join("\n");
    for word in [
        "PartitionScanExec: log=numbers, ranges=[0: 0..1000 @1]",
        "projection=[n]",
        "records_decoded=1.00 K",
        "bytes_read=",
        "batches_read=",
        "records_read=1.00 K",
        "values_coerced_to_null=0",
    ] {
        assert!(plan.contains(word), "{word} is missing from {plan}");
    }
    let leaf = plan.lines().find(|line| line.contains("PartitionScanExec")).unwrap();
    for nothing in ["output_batches=0", "elapsed_compute=1ns"] {
        assert!(!leaf.contains(nothing), "{nothing} in {leaf}");
    }
    let whole = node.rows("EXPLAIN SELECT sum(n) FROM numbers").await.join("\n");
    assert!(whole.contains("groups=2"), "one partition uses both threads: {whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_rows_do_not_wait_for_the_rest() {
    let node = numbers().await;
    let mut rows = node.run("SELECT n FROM numbers WHERE n >= 0").await;
    let first = rows.next().await.unwrap().unwrap();
    assert!(!lines(&[first]).is_empty());
    let read = node.queries.counters().bytes_read;
    assert!(read < 4 << 20, "{read} bytes are read before the first row is taken");
    drop(rows);
    until(|| node.queries.counters().running == 0).await;
    assert_eq!(node.queries.counters().cancelled, 1);
}

async fn a_key_leads_to_its_records(node: &Node) {
    let log = node.create("keyed", 2, "n BIGINT").await;
    for n in 0..2_000 {
        let value = format!("{{\"n\": {n}, \"pad\": \"{}\"}}", "x".repeat(200));
        node.append_keyed(log, n % 2, &format!("k{}", n / 4), &value).await;
    }
    let by_key = "SELECT n FROM keyed WHERE _key = 'k77' ORDER BY n";
    let (rows, cost) = node.measured(by_key).await;
    assert_eq!(rows, ["308", "309", "310", "311"]);
    assert!(cost.records_read == 4 && cost.bytes_read < 300 << 10, "{cost:?}");
    let by_text =
        "SELECT count(*) FROM keyed WHERE text(_key) IN ('k1', 'k499', 'nobody') AND n > 5";
    let (rows, cost) = node.measured(by_text).await;
    assert_eq!((rows, cost.records_read), (vec!["6".to_owned()], 8));
    let (rows, cost) = node.measured("SELECT n FROM keyed WHERE _key = 'nobody'").await;
    assert_eq!((rows.len(), cost.bytes_read), (0, 0));
}
