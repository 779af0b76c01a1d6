//! Short queries that ask for long answers: refused before they are begun.

use crate::node::Node;
use crate::shown::collect;
use pyralog_model::ErrorCode;
use pyralog_query::{QuerySettings, RunOptions};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// What a refusal may take, with a build that is not optimised.
const PATIENCE: Duration = Duration::from_secs(120);

/// What all of a test's queries may take, with whatever tests run beside it.
const GROWTH_BYTES_MAX: u64 = 1 << 30;

/// These tests watch the memory of the process, one after the other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Bytes that this process has held at most.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes << 10
}

fn settings() -> QuerySettings {
    QuerySettings { threads: Some(2), ..QuerySettings::default() }
}

async fn refused(node: &Node, sql: &str) {
    let error = timeout(PATIENCE, node.error(sql)).await.expect(sql);
    assert_eq!(error.code, ErrorCode::QueryOutOfMemory, "{sql}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_makes_much_of_little() {
    let node = Node::start().await;
    let log = node.create("events", 1, "n BIGINT").await;
    node.append_numbers(log, 0, 100, 100).await;
    let constants = [
        "SELECT length(repeat('x', 1500000000))",
        "SELECT length(lpad('x', 1500000000))",
        "SELECT length(rpad('x', 1500000000, 'é'))",
        "SELECT array_length(range(1, 200000000))",
        "SELECT array_length(generate_series(1, 200000000))",
        "SELECT array_length(range(TIMESTAMP '2000-01-01', TIMESTAMP '2001-01-01', INTERVAL '1' MILLISECOND))",
        "SELECT array_length(array_repeat(1, 200000000))",
        "SELECT array_length(array_repeat(repeat('x', 1000000), 1000))",
        "SELECT array_length(array_resize([1], 200000000))",
        "SELECT array_length(array_resize([1], 200000000, 2))",
        "SELECT length(replace(repeat('x', 1000000), 'x', repeat('y', 1000)))",
        "SELECT length(regexp_replace(repeat('x', 1000000), 'x', repeat('y', 1000), 'g'))",
        "SELECT length(array_to_string(range(1, 100000), repeat('-', 10000)))",
        "SELECT length(to_char(TIMESTAMP '2000-01-01', repeat('%c', 10000000)))",
        "SELECT array_length(string_to_array(repeat('x', 50000000), NULL))",
    ];
    let by_row = [
        "SELECT length(repeat('x', n * 100000000)) FROM events",
        "SELECT length(lpad('x', n * 10000000)) FROM events",
        "SELECT array_length(range(1, n * 10000000)) FROM events",
        "SELECT array_length(array_repeat(n, 5000000)) FROM events",
        "SELECT length(replace(repeat('x', n * 10000), 'x', repeat('y', 1000))) FROM events",
        "SELECT length(concat(n, repeat('x', 10000000))) FROM events",
        "SELECT length(concat_ws(',', n, repeat('x', 10000000))) FROM events",
        "SELECT length(n || repeat('x', 10000000)) FROM events",
        "SELECT length(translate(repeat('x', 30000000 + n), 'x', '€')) FROM events",
    ];
    let _alone = ALONE.lock().await;
    let before = peak_bytes();
    for sql in constants.into_iter().chain(by_row) {
        refused(&node, sql).await;
    }
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "{} MiB", grown >> 20);
}

/// Twice as much with every step.
fn doubled_of(first: &str, steps: u32) -> String {
    let step = |n: u32| format!(", t{} AS (SELECT v || v AS v FROM t{n})", n + 1);
    let steps_text: String = (0..steps).map(step).collect();
    format!("WITH t0 AS (SELECT {first} AS v FROM range(1)){steps_text} SELECT v FROM t{steps}")
}

#[tokio::test(flavor = "multi_thread")]
async fn many_times_little_is_much_too() {
    let node = Node::start().await;
    let doubled = doubled_of("repeat('x', 1000 + value)", 24);
    let doubled_lists = doubled_of("range(value, 2000)", 22);
    let columns: Vec<_> = (0..100).map(|n| format!("repeat('{n}', 20000000) AS c{n}")).collect();
    let columns = format!("SELECT {} FROM range(1)", columns.join(", "));
    let by_row = columns.replace("20000000", "20000000 + value");
    let copies: Vec<_> = (0..50).map(|n| format!("upper(v || '{n}') AS c{n}")).collect();
    let copies = format!(
        "SELECT {} FROM (SELECT repeat('x', 10000000 + value) AS v FROM range(1))",
        copies.join(", ")
    );
    let _alone = ALONE.lock().await;
    let before = peak_bytes();
    for sql in [&doubled, &doubled_lists, &columns, &by_row, &copies] {
        refused(&node, sql).await;
    }
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "{} MiB", grown >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gathered_is_paid_for() {
    let settings = QuerySettings { memory_bytes_per_query_max: 32 << 20, ..settings() };
    let node = Node::with(settings).await;
    let gathered = [
        "SELECT length(string_agg(repeat('x', 100000) || value, ',')) FROM range(100000)",
        "SELECT array_length(array_agg(repeat('x', 100000) || value)) FROM range(100000)",
        "SELECT value % 2, length(string_agg(repeat('x', 100000) || value, ',')) FROM range(100000) GROUP BY 1",
        "SELECT value % 2, array_length(array_agg(value)) FROM range(100000000) GROUP BY 1",
    ];
    let _alone = ALONE.lock().await;
    let before = peak_bytes();
    for sql in gathered {
        refused(&node, sql).await;
    }
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "{} MiB", grown >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn types_and_windows_that_multiply_are_refused() {
    let node = Node::start().await;
    let long = format!("SELECT '{}' FROM range(8192)", "x".repeat(100_000));
    for sql in [
        "SELECT arrow_cast(NULL, 'FixedSizeBinary(2000000000)')",
        "SELECT CAST(NULL AS INT[100000000])",
        &long,
        "SELECT string_agg(value::TEXT, ',') OVER (ORDER BY value) FROM range(10)",
        "SELECT array_agg(value) OVER () FROM range(10)",
    ] {
        assert_eq!(node.error(sql).await.code, ErrorCode::QueryInvalid, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_compare_for_hours_is_refused() {
    let node = Node::start().await;
    for sql in [
        "SELECT levenshtein(repeat('x', 1000000), repeat('y', 1000000))",
        "SELECT levenshtein(repeat('x', 10000 + value), repeat('y', 10000)) FROM range(100)",
        "SELECT array_has_all(range(1, 1000000), range(1, 1000000))",
        "SELECT array_has_any(range(1, 1000000), range(2000000, 3000000 + value)) FROM range(1)",
    ] {
        let error = timeout(PATIENCE, node.error(sql)).await.expect(sql);
        assert_eq!(error.code, ErrorCode::QueryFailed, "{sql}: {error}");
    }
    let small = "SELECT levenshtein('kitten', 'sitting'), array_has_all([1, 2], [2])";
    assert_eq!(node.rows(small).await, ["3 true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_do_what_they_did() {
    let node = Node::start().await;
    let asked = [
        ("SELECT repeat('ab', 3), lpad('7', 3, '0'), rpad('é', 3, '-')", "ababab 007 é--"),
        (
            "SELECT range(1, 10, 3), generate_series(3), range(5, 1, -2)",
            "[1, 4, 7] [0, 1, 2, 3] [5, 3]",
        ),
        ("SELECT 'a' || 1 || NULL, 'a' || 1, concat('a', NULL, 'b')", "NULL a1 ab"),
        (
            "SELECT [1] || [2] || 3, array_repeat('x', 2), array_resize([1], 2)",
            "[1, 2, 3] [x, x] [1, NULL]",
        ),
        ("SELECT replace('aXbX', 'X', 'yy'), translate('abc', 'ab', 'é')", "ayybyy éc"),
        (
            "SELECT regexp_replace('aab', '(a)', '<\\1>', 'g'), to_char(DATE '2013-01-31', '%d.%m.')",
            "<a><a>b 31.01.",
        ),
        (
            "SELECT array_to_string([1, 2], '-'), string_to_array('a,b', ','), upper('ß')",
            "1-2 [a, b] SS",
        ),
        ("SELECT sum(length(repeat('x', 100) || value)) FROM range(200000)", "21088890"),
        ("SELECT count(DISTINCT repeat(value::TEXT, 100)) FROM range(100000)", "100000"),
    ];
    for (sql, expect) in asked {
        assert_eq!(node.rows(sql).await, [expect], "{sql}");
    }
    let named = node.run("SELECT 'a' || value, upper('b' || value) FROM range(1)").await;
    let names: Vec<_> = named.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["Utf8(\"a\") || range().value", "upper(Utf8(\"b\") || range().value)"]);
    drop(named);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_query_is_answered_while_others_are_too_large() {
    let node = Node::start().await;
    let options = || RunOptions { time_max: Some(Duration::from_secs(5)) };
    let large = "SELECT length(repeat('x', 1000000000)), count(*) FROM range(10)";
    let several: Vec<_> = (0..4).map(|_| node.queries.run(large, options())).collect();
    for one in futures::future::join_all(several).await {
        let ended = match one {
            Ok(rows) => collect(rows).await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert_eq!(ended.unwrap_err().code, ErrorCode::QueryOutOfMemory);
    }
    assert_eq!(node.rows("SELECT 1").await, ["1"]);
}
