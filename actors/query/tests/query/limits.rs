//! What a query may not do: write, take too much, take too long, and take others with
//! it when it falls.

use crate::node::{Node, until};
use crate::shown::collect;
use pyralog_model::{BatchBuilder, Compression, ErrorCode, Remedy};
use pyralog_query::{QuerySettings, RunOptions};
use std::time::Duration;
use tokio::time::timeout;

fn settings() -> QuerySettings {
    QuerySettings { threads: Some(2), ..QuerySettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_reading_is_let_through() {
    let node = Node::start().await;
    node.create("flights", 1, "carrier TEXT").await;
    let refused = [
        "INSERT INTO flights (carrier) VALUES ('UA')",
        "UPDATE flights SET carrier = 'UA'",
        "DELETE FROM flights",
        "TRUNCATE TABLE flights",
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t AS SELECT 1",
        "SELECT 1 INTO t",
        "CREATE VIEW v AS SELECT 1",
        "CREATE SCHEMA s",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "COPY flights TO '/tmp/x.parquet' STORED AS PARQUET",
        "DROP TABLE flights",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "BEGIN",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "EXPLAIN INSERT INTO flights (carrier) VALUES ('UA')",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/x.csv'",
        "MERGE INTO flights USING flights AS f ON true WHEN MATCHED THEN DELETE",
    ];
    for sql in refused {
        let error = node.error(sql).await;
        assert_eq!(error.code, ErrorCode::QueryReadOnly, "{sql}: {error}");
        assert!(error.message.contains("SQL only reads here"), "{sql}: {error}");
    }
    let taken = ["VALUES (1)", "EXPLAIN SELECT 1", "SHOW TABLES"];
    for sql in taken {
        node.rows(sql).await;
    }
    assert_eq!(node.queries.counters().failed, refused.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_refused_and_the_engine_goes_on() {
    let node = Node::start().await;
    let deep = |open: &str, close: &str, times: usize| {
        format!("SELECT {}1{}", open.repeat(times), close.repeat(times))
    };
    let refused = [
        deep("(", ")", 100_000),
        deep("-(", ")", 60_000),
        deep("NOT ", "", 60_000),
        deep("(SELECT ", ")", 20_000),
        deep("abs(", ")", 40_000),
        deep("abs(", ")", 900),
        deep("", " + 1", 60_000),
        deep("", "::INT", 40_000),
        deep("", " UNION ALL SELECT 1", 13_000),
        format!("SELECT '{}'", "x".repeat(300 << 10)),
    ];
    for sql in &refused {
        let error = node.error(sql).await;
        assert_eq!(error.code, ErrorCode::QueryInvalid, "{error}");
        assert!(error.message.len() < 300, "{} bytes", error.message.len());
    }
    assert_eq!(node.rows("SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_are_answered() {
    let node = Node::start().await;
    let chain = |link: &str, times: usize| link.repeat(times);
    let answered = [
        (format!("SELECT 1{}", chain(" + 1", 900)), "901"),
        (format!("SELECT true{}", chain(" AND true", 400)), "true"),
        (format!("SELECT value = 0{} FROM range(1)", chain(" OR value = 7", 400)), "true"),
        (format!("SELECT count(*) FROM (SELECT 1{})", chain(" UNION ALL SELECT 1", 200)), "201"),
        (format!("SELECT CASE value{} END FROM range(1)", chain(" WHEN 0 THEN 5", 400)), "5"),
        (format!("SELECT count(*) FROM range(3) WHERE value IN (1{})", chain(", 1", 80_000)), "1"),
    ];
    for (sql, expect) in answered {
        assert_eq!(node.rows(&sql).await, [expect]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_for_each_query() {
    let node =
        Node::with(QuerySettings { memory_bytes_per_query_max: 8 << 20, ..settings() }).await;
    let large = "SELECT count(*) FROM (SELECT DISTINCT value, md5(value::TEXT) FROM generate_series(1, 1000000))";
    let error = node.error(large).await;
    assert_eq!(error.code, ErrorCode::QueryOutOfMemory, "{error}");
    assert!(error.message.contains("8 MiB for one, and"), "{error}");
    let sorted = "SELECT value FROM generate_series(1, 1000000) ORDER BY md5(value::TEXT)";
    assert_eq!(node.error(sorted).await.code, ErrorCode::QueryOutOfMemory);
    assert_eq!(node.rows("SELECT count(*) FROM generate_series(1, 1000)").await, ["1000"]);
    // All of it is given back, once the parts of a query have ended.
    until(|| node.queries.counters().memory_bytes == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_for_all_queries_together() {
    let node = Node::with(QuerySettings { memory_bytes_max: 4 << 20, ..settings() }).await;
    let sorted = "SELECT value FROM generate_series(1, 1000000) ORDER BY md5(value::TEXT)";
    let error = node.error(sorted).await;
    assert_eq!(error.code, ErrorCode::QueryOutOfMemory);
    assert!(error.message.contains("4 MiB for all together (query_memory"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_come_in_small_batches() {
    let node =
        Node::with(QuerySettings { memory_bytes_per_query_max: 24 << 20, ..settings() }).await;
    let log = node.create("blobs", 1, "").await;
    let value = "x".repeat(512 << 10);
    for _ in 0..64 {
        node.append_values(log, 0, &[&value]).await;
    }
    let lengths = node.rows("SELECT DISTINCT length(text(_value)) FROM blobs").await;
    assert_eq!(lengths, [(512 << 10).to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_asked_for_before_a_batch_is_decompressed() {
    let per_query = |bytes| QuerySettings { memory_bytes_per_query_max: bytes, ..settings() };
    for (memory, is_enough) in [(16 << 20, false), (128 << 20, true)] {
        let node = Node::with(per_query(memory)).await;
        let log = node.create("blobs", 1, "").await;
        let mut batch = BatchBuilder::new();
        batch.push(0, None, Some(&vec![b'x'; 20 << 20]), &[]);
        node.append(log, 0, batch.finish_compressed(Compression::Zstd).unwrap()).await;
        let sql = "SELECT octet_length(_value) FROM blobs";
        match is_enough {
            true => assert_eq!(node.rows(sql).await, [(20 << 20).to_string()]),
            false => assert_eq!(node.error(sql).await.code, ErrorCode::QueryOutOfMemory),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_bounded_however_a_query_spends_it() {
    let node =
        Node::with(QuerySettings { time_max: Duration::from_millis(300), ..settings() }).await;
    for table in ["asleep", "endless", "stuck"] {
        let sql = format!("SELECT sum(n) FROM sys.{table}");
        let error = timeout(Duration::from_secs(5), node.error(&sql)).await.expect(table);
        assert_eq!(error.code, ErrorCode::QueryOutOfTime, "{table}: {error}");
        assert!(error.message.contains("300ms it may (query_time_max)"), "{error}");
    }
    let options = RunOptions { time_max: Some(Duration::from_millis(20)) };
    let rows = node.queries.run("SELECT n FROM sys.asleep", options).await.unwrap();
    let message = collect(rows).await.unwrap_err().message;
    assert!(message.contains("20ms that was asked for") && !message.contains("raise"), "{message}");
    // An answer that nobody takes does not keep its turn for ever.
    let mut idle = node.run("SELECT n FROM sys.endless").await;
    until(|| node.queries.counters().running == 0).await;
    while let Some(Ok(_)) = idle.next().await {}
    assert_eq!(node.rows("SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_does_not_wait_long_for_threads_that_are_held() {
    let node = Node::with(QuerySettings { threads: Some(1), ..settings() }).await;
    let options = RunOptions { time_max: Some(Duration::from_millis(300)) };
    let late = match node.queries.run("SELECT sum(n) FROM sys.blocked", options).await {
        Ok(rows) => collect(rows).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(late.code, ErrorCode::QueryOutOfTime);
    let error = timeout(Duration::from_secs(5), node.error("SELECT 1")).await.expect("at once");
    assert_eq!(error.code, ErrorCode::Overloaded, "{error}");
    assert!(error.message.contains("do not pause"), "{error}");
    until(|| node.queries.counters().running == 0).await;
    assert_eq!(node.rows("SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_the_error_of_one_query() {
    let node = Node::start().await;
    let mut other = node.run("SELECT n FROM sys.endless").await;
    other.next().await.unwrap().unwrap();
    for sql in ["SELECT * FROM sys.panic", "SELECT count(*) FROM sys.panic GROUP BY n"] {
        let error = node.error(sql).await;
        assert_eq!(error.code, ErrorCode::Internal, "{error}");
        assert!(error.message.contains("the trap has sprung"), "{error}");
    }
    other.next().await.unwrap().unwrap();
    assert_eq!(node.rows("SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_while_running_are_the_querys_own() {
    let node = Node::start().await;
    let log = node.create("numbers", 1, "n BIGINT").await;
    node.append_numbers(log, 0, 10, 10).await;
    for sql in ["SELECT 1 / n FROM numbers", "SELECT arrow_cast('x' || n, 'Int32') FROM numbers"] {
        let error = node.error(sql).await;
        assert_eq!(error.code, ErrorCode::QueryFailed, "{sql}: {error}");
        assert!(!error.message.contains("Arrow error"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_take_turns_and_one_too_many_comes_again() {
    let settings = QuerySettings { running_max: 2, waiting_max: 1, ..settings() };
    let node = Node::with(settings).await;
    let first = node.run("SELECT n FROM sys.asleep").await;
    let _second = node.run("SELECT n FROM sys.asleep").await;
    let waiting = tokio::spawn(node.run("SELECT 1"));
    until(|| node.queries.counters().waiting == 1).await;
    let error = node.error("SELECT 1").await;
    assert_eq!((error.code, error.code.remedy()), (ErrorCode::Overloaded, Remedy::Retry));
    drop(first);
    let turned = timeout(Duration::from_secs(5), waiting).await.expect("its turn has come");
    assert_eq!(collect(turned.unwrap()).await.unwrap().len(), 1);
    assert_eq!(node.queries.counters().waiting, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handle_outlives_the_actor() {
    let node = Node::start().await;
    let mut interrupted = node.run("SELECT n FROM sys.endless").await;
    interrupted.next().await.unwrap().unwrap();
    node.tree.kill("root/queries").await.unwrap();
    let mut last = interrupted.next().await;
    while let Some(Ok(_)) = last {
        last = interrupted.next().await;
    }
    assert_eq!(last.unwrap().unwrap_err().code, ErrorCode::Unavailable);
    let healed = async {
        loop {
            let answer = match node.queries.run("SELECT 1", RunOptions::default()).await {
                Ok(rows) => collect(rows).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(_) => return,
                Err(error) => assert_eq!(error.code, ErrorCode::Unavailable),
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), healed).await.expect("it is started again");
    let seen = node.tree.snapshot(Duration::from_secs(5)).await;
    let queries = seen.children.iter().find(|child| child.id == "queries").unwrap();
    assert!(queries.details.contains_key("served"), "{queries:?}");
}
