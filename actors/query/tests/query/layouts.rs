//! However records lie in batches, partitions and ranges: a query answers what a list
//! of the records would.

use crate::node::Node;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use pyralog_model::{BatchBuilder, Compression, batch_crc};
use pyralog_query::QuerySettings;
use tokio::runtime::Runtime;

const PARTITIONS: u32 = 3;

/// One batch: where it goes, how it is packed, and the times of its records.
#[derive(Debug, Clone)]
struct Layout {
    partition: u32,
    compression: u8,
    control: bool,
    times: Vec<i64>,
}

/// What a query shows of one record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    partition: u32,
    offset: u64,
    time: i64,
    n: Option<u64>,
}

fn layouts() -> impl Strategy<Value = Vec<Layout>> {
    let one = (
        0..PARTITIONS,
        0..5_u8,
        prop::bool::weighted(0.1),
        prop::collection::vec(0..60_i64, 1..40),
    );
    let one = one.prop_map(|(partition, compression, control, times)| Layout {
        partition,
        compression,
        control,
        times,
    });
    prop::collection::vec(one, 1..24)
}

/// A predicate as a function, with what it compares to.
type Holds = fn(&Seen, [u64; 2]) -> bool;
/// A predicate as SQL, and as a function.
type Predicate = (String, Holds, [u64; 2]);

fn predicates() -> impl Strategy<Value = Predicate> {
    (0..8_u8, 0..200_u64, 0..200_u64).prop_map(|(kind, a, b)| {
        let (low, high) = (a.min(b), a.max(b));
        let (partition, ms) = (a % 4, a % 60);
        let time = format!("TIMESTAMP '1970-01-01T00:00:00.{ms:03}'");
        let (sql, holds, arguments): (String, Holds, [u64; 2]) = match kind {
            0 => ("true".to_owned(), |_, _| true, [0, 0]),
            1 => (
                format!("_offset BETWEEN {low} AND {high}"),
                |seen, [low, high]| seen.offset >= low && seen.offset <= high,
                [low, high],
            ),
            2 => (
                format!("_partition = {partition} AND _offset >= {b}"),
                |seen, [partition, from]| {
                    u64::from(seen.partition) == partition && seen.offset >= from
                },
                [partition, b],
            ),
            3 => (
                format!("_offset IN ({a}, {b}) OR _partition > 1"),
                |seen, offsets| offsets.contains(&seen.offset) || seen.partition > 1,
                [a, b],
            ),
            4 => (
                format!("NOT (_offset < {low} OR _offset >= {high})"),
                |seen, [low, high]| seen.offset >= low && seen.offset < high,
                [low, high],
            ),
            5 => (format!("_timestamp >= {time}"), |seen, [ms, _]| seen.time >= ms as i64, [ms, 0]),
            6 => (
                format!("_timestamp < {time} AND _offset > {b}"),
                |seen, [ms, after]| seen.time < ms as i64 && seen.offset > after,
                [ms, b],
            ),
            _ => (format!("n > {a}"), |seen, [a, _]| seen.n.is_some_and(|n| n > a), [a, 0]),
        };
        (sql, holds, arguments)
    })
}

#[test]
fn answers_do_not_depend_on_the_layout() {
    let runtime = Runtime::new().unwrap();
    let node = runtime
        .block_on(Node::with(QuerySettings { threads: Some(3), ..QuerySettings::default() }));
    let mut runner =
        TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let logs = std::cell::Cell::new(0);
    let cases = (layouts(), prop::collection::vec(predicates(), 4), 1..30_usize);
    let checked = runner.run(&cases, |(layouts, predicates, limit)| {
        logs.set(logs.get() + 1);
        runtime.block_on(check(&node, logs.get(), &layouts, &predicates, limit))
    });
    checked.unwrap();
}

async fn check(
    node: &Node,
    number: u32,
    layouts: &[Layout],
    predicates: &[Predicate],
    limit: usize,
) -> Result<(), TestCaseError> {
    let name = format!("log{number}");
    let log = node.create(&name, PARTITIONS, "n BIGINT").await;
    let mut stored = Vec::new();
    for layout in layouts {
        let base = stored.iter().filter(|seen: &&Seen| seen.partition == layout.partition).count();
        node.append(log, layout.partition, batch(layout, stored.len(), base as u64, &mut stored))
            .await;
    }
    stored.sort();
    for (sql, holds, arguments) in predicates {
        let expect: Vec<&Seen> = stored.iter().filter(|seen| holds(seen, *arguments)).collect();
        let from = format!("FROM {name} WHERE ({sql})");
        let columns = "_partition, _offset, arrow_cast(_timestamp, 'Int64'), n";
        let all = node.rows(&format!("SELECT {columns} {from} ORDER BY _partition, _offset")).await;
        prop_assert_eq!(&all, &lines(&expect), "{}", from);
        let mut loose = node.rows(&format!("SELECT {columns} {from}")).await;
        loose.sort();
        let mut sorted = all.clone();
        sorted.sort();
        prop_assert_eq!(loose, sorted, "{}", from);
        let counted = node.rows(&format!("SELECT count(*), max(_offset) {from}")).await;
        let last = expect.iter().map(|seen| seen.offset).max();
        let last = last.map_or("NULL".to_owned(), |last| last.to_string());
        prop_assert_eq!(counted, [format!("{} {last}", expect.len())], "{}", from);
        let some = node.rows(&format!("SELECT {columns} {from} LIMIT {limit}")).await;
        prop_assert_eq!(some.len(), limit.min(expect.len()), "{}", from);
        prop_assert!(some.iter().all(|row| all.contains(row)), "{}", from);
        let one = "_partition = 1";
        let back = format!("SELECT {columns} {from} AND {one} ORDER BY _offset DESC LIMIT {limit}");
        let mut of_one: Vec<&Seen> =
            expect.into_iter().filter(|seen| seen.partition == 1).collect();
        of_one.reverse();
        of_one.truncate(limit);
        prop_assert_eq!(node.rows(&back).await, lines(&of_one), "{}", back);
    }
    Ok(())
}

fn lines(seen: &[&Seen]) -> Vec<String> {
    let n = |seen: &Seen| seen.n.map_or("NULL".to_owned(), |n| n.to_string());
    let line =
        |seen: &&Seen| format!("{} {} {} {}", seen.partition, seen.offset, seen.time, n(seen));
    seen.iter().map(line).collect()
}

/// The batch of a layout; notes what a query must show of it.
fn batch(layout: &Layout, first: usize, base: u64, stored: &mut Vec<Seen>) -> Bytes {
    let mut batch = BatchBuilder::new();
    for (index, time) in layout.times.iter().enumerate() {
        let n = (first + index) as u64;
        batch.push(*time, None, Some(format!("{{\"n\": {n}}}").as_bytes()), &[]);
        let n = (!layout.control).then_some(n);
        let offset = base + index as u64;
        stored.push(Seen { partition: layout.partition, offset, time: *time, n });
    }
    let compression = match layout.compression {
        0 => Compression::None,
        1 => Compression::Gzip,
        2 => Compression::Snappy,
        3 => Compression::Lz4,
        _ => Compression::Zstd,
    };
    let batch = batch.finish_compressed(compression).unwrap();
    if !layout.control {
        return batch;
    }
    let mut bytes = batch.to_vec();
    bytes[22] |= 0x20;
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}
