//! What a query reads: counted three times, by `EXPLAIN ANALYZE`, by the end of the
//! answer and by the counters of the process.

use crate::big::{self, FIRST_MS, NAME, STEP_MS};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use pyralog_tests::sql::answer::{self, Answer};
use pyralog_tests::sql::explained::{Explained, metric};
use std::net::SocketAddr;
use std::time::Duration;

/// What one record, or a hundred, may cost.
const BYTES_READ_MAX: u64 = 2 << 20;
/// What a record may cost beside its value, its share of the batch's head included.
const RECORD_BYTES_MAX: u64 = 20;
/// How long the first rows of a log may take, however long it is.
const FIRST_ROW_MAX: Duration = Duration::from_millis(50);
/// How often that is measured; the median counts.
const ROUNDS: usize = 5;

/// Asks a log of so many records for little of it.
pub fn check(world: &World, records: u64) -> Result<()> {
    let http = world.http();
    one_offset(http, records)?;
    time_range(http, records)?;
    counts(http, records)?;
    last_rows(http, records)?;
    first_rows(http)?;
    projection(http)
}

/// What a query was seen to read.
struct Seen {
    answer: Answer,
    explained: Explained,
    bytes_read: u64,
    records_decoded: u64,
}

/// Asks, and takes the largest of what the three counters say.
fn seen(http: SocketAddr, query: &str) -> Result<Seen> {
    let counters = || -> Result<[u64; 2]> {
        let bytes = metric(http, "pyralog_query_bytes_read_total")?;
        Ok([bytes, metric(http, "pyralog_query_records_decoded_total")?])
    };
    let before = counters()?;
    let answer = answer::must(http, query)?;
    let after = counters()?;
    let explained = Explained::analyze(http, query)?;
    let process = after[0] - before[0];
    let said = answer.done.bytes_read.unwrap_or(process);
    ensure!(process == said, "{query}: the process read {process} bytes, the answer says {said}");
    // A plan without a scan reads nothing.
    let by_plan = |name: &str| {
        let figure = explained.figure(name);
        ensure!(figure.is_some() || explained.scans().is_empty(), "no {name}:\n{}", explained.text);
        Ok(figure.unwrap_or(0))
    };
    let bytes_read = process.max(by_plan("bytes_read")?);
    let records_decoded = (after[1] - before[1]).max(by_plan("records_decoded")?);
    println!("{bytes_read:>9} bytes, {records_decoded:>5} values decoded: {query}");
    Ok(Seen { answer, explained, bytes_read, records_decoded })
}

fn cheap(http: SocketAddr, query: &str) -> Result<Seen> {
    let seen = seen(http, query)?;
    ensure!(seen.bytes_read <= BYTES_READ_MAX, "too much is read:\n{}", seen.explained.text);
    Ok(seen)
}

fn one_offset(http: SocketAddr, records: u64) -> Result<()> {
    for offset in [0, records / 3, records - 1] {
        let query = format!("SELECT _offset, text(_value) FROM {NAME} WHERE _offset = {offset}");
        let rows = cheap(http, &query)?.answer.rows;
        ensure!(rows.len() == 1, "{query}: {} rows", rows.len());
        ensure!(rows[0][0].as_u64() == Some(offset), "{query}: {:?}", rows[0]);
        ensure!(rows[0][1].as_str() == Some(&big::value(offset)), "{query}: {:?}", rows[0]);
    }
    Ok(())
}

/// Records from a moment on are found at once. Where a range of time ends nobody knows:
/// the times of records need not go up, and the next one may be in it again. So it is
/// read to the end of the log, but no value is decoded.
fn time_range(http: SocketAddr, records: u64) -> Result<()> {
    let time = |offset: u64| {
        let ms = FIRST_MS + offset as i64 * STEP_MS;
        format!("to_timestamp_millis({ms})")
    };
    let asked = format!("SELECT count(*), min(_offset), max(_offset) FROM {NAME} WHERE _timestamp");
    let (late, middle) = (records - 100, records / 2);
    let from = cheap(http, &format!("{asked} >= {}", time(late)))?;
    let between = format!("{asked} >= {} AND _timestamp < {}", time(middle), time(middle + 100));
    let between = seen(http, &between)?;
    let half = (records - middle) * (big::VALUE_BYTES as u64 + RECORD_BYTES_MAX);
    ensure!(between.bytes_read <= half, "too much is read:\n{}", between.explained.text);
    for (seen, first) in [(from, late), (between, middle)] {
        let row = seen.answer.rows.first().context("no row")?;
        let numbers: Vec<Option<u64>> = row.iter().map(|cell| cell.as_u64()).collect();
        ensure!(numbers == [Some(100), Some(first), Some(first + 99)], "{row:?}");
        ensure!(seen.records_decoded == 0, "a time is in no value:\n{}", seen.explained.text);
    }
    Ok(())
}

fn counts(http: SocketAddr, records: u64) -> Result<()> {
    let some = records / 3;
    let cases = [
        (format!("SELECT count(*) FROM {NAME}"), records),
        (format!("SELECT count(*) FROM {NAME} WHERE _offset >= {some}"), records - some),
        (format!("SELECT count(*) FROM {NAME} WHERE _partition = 0"), records),
        ("SELECT count(*) FROM flights".to_owned(), 336_776),
    ];
    for (query, right) in cases {
        let seen = cheap(http, &query)?;
        let counted = seen.answer.rows[0][0].as_u64();
        ensure!(counted == Some(right), "{query}: {counted:?} of {right}");
        ensure!(seen.records_decoded == 0, "a value was decoded:\n{}", seen.explained.text);
    }
    Ok(())
}

fn last_rows(http: SocketAddr, records: u64) -> Result<()> {
    let query = format!("SELECT _offset FROM {NAME} ORDER BY _offset DESC LIMIT 10");
    let rows = cheap(http, &query)?.answer.rows;
    let offsets: Vec<Option<u64>> = rows.iter().map(|row| row[0].as_u64()).collect();
    let right: Vec<Option<u64>> = (records - 10..records).rev().map(Some).collect();
    ensure!(offsets == right, "{query}: {offsets:?}");
    Ok(())
}

fn first_rows(http: SocketAddr) -> Result<()> {
    let query = format!("SELECT * FROM {NAME} LIMIT 10");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let answer = answer::must(http, query.as_str())?;
        ensure!(answer.rows.len() == 10, "{} rows", answer.rows.len());
        times.push(answer.done.first_row_after);
    }
    times.sort_unstable();
    println!("first row of {query}: {:.1?}, in the median of {times:.1?}", times[ROUNDS / 2]);
    ensure!(times[ROUNDS / 2] < FIRST_ROW_MAX, "the first row is late: {times:?}");
    Ok(())
}

/// A column that nobody asks for is not made.
fn projection(http: SocketAddr) -> Result<()> {
    let whole = "SELECT max(year), max(month), max(day), max(dep_time), max(sched_dep_time), \
                 max(dep_delay), max(arr_time), max(sched_arr_time), max(arr_delay), max(carrier), \
                 max(flight), max(tailnum), max(origin), max(dest), max(air_time), max(distance), \
                 max(hour), max(minute), max(time_hour) FROM flights";
    let one = "SELECT max(distance) FROM flights";
    let plan = Explained::plan(http, one)?;
    let reads = |columns: &str| plan.scans().iter().any(|scan| scan.contains(columns));
    ensure!(reads("projection=[distance]"), "more is decoded:\n{}", plan.text);
    let time = |query: &str| Ok::<_, anyhow::Error>(answer::must(http, query)?.done.elapsed);
    let (mut ones, mut wholes) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ones.push(time(one)?);
        wholes.push(time(whole)?);
    }
    let (one, whole) = (ones.iter().min().context("none")?, wholes.iter().min().context("none")?);
    println!("one column of 19 in {one:.0?}, all in {whole:.0?}");
    ensure!(one < whole, "one column costs as much as all");
    Ok(())
}
