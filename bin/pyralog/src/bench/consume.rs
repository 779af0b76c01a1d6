//! `bench consume`: fetches everything over Kafka's protocol and checks each
//! batch: its CRC-32C, and that its offsets follow the last one's.

use super::kafka::{self, FETCH_VERSION};
use super::{Latency, Machine, Report};
use crate::cli::ConsumeBench;
use crate::failure::Failure;
use bytes::Bytes;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use pyralog_env::{Clock, RealClock};
use pyralog_model::BatchHeader;
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long the node may wait for bytes that are not there yet, in ms.
const WAIT_MS_MAX: i32 = 500;

/// What was read.
#[derive(Default)]
struct Found {
    records: u64,
    bytes: u64,
    latency: Latency,
}

/// Runs it.
pub async fn run(arguments: ConsumeBench) -> Result<Report, Failure> {
    let mut first = kafka::connect(&arguments.bootstrap).await?;
    kafka::check_log(&mut first, &arguments.log, arguments.partitions).await?;
    drop(first);
    let clock = Arc::new(RealClock::new());
    let started = clock.monotonic();
    let arguments = Arc::new(arguments);
    let mut connections = JoinSet::new();
    for index in 0..arguments.connections {
        let (clock, arguments) = (Arc::clone(&clock), Arc::clone(&arguments));
        connections.spawn(async move { connection(&clock, &arguments, index).await });
    }
    let mut found = Found::default();
    while let Some(one) = connections.join_next().await {
        let one = one.map_err(Failure::failed)??;
        found.records += one.records;
        found.bytes += one.bytes;
        found.latency.add(&one.latency);
    }
    let elapsed = clock.monotonic().since(started);
    let settings = json!({
        "log": arguments.log,
        "partitions": arguments.partitions,
        "fetch_bytes": arguments.fetch_bytes,
        "connections": arguments.connections,
        "checked": "crc-32c",
    });
    let machine = Machine::here(arguments.data_dir.as_deref());
    Ok(Report::new(
        "consume",
        settings,
        machine,
        elapsed,
        (Some(found.records), found.bytes),
        &found.latency,
    ))
}

/// Reads every `connections`-th partition, one after the other.
async fn connection(
    clock: &RealClock,
    arguments: &ConsumeBench,
    index: u32,
) -> Result<Found, Failure> {
    let mut stream = kafka::connect(&arguments.bootstrap).await?;
    let mut found = Found::default();
    for partition in (index..arguments.partitions).step_by(arguments.connections as usize) {
        let partition = i32::try_from(partition).map_err(Failure::failed)?;
        read(clock, arguments, partition, &mut stream, &mut found).await?;
    }
    Ok(found)
}

/// Reads a partition to the end it had when we began.
async fn read(
    clock: &RealClock,
    arguments: &ConsumeBench,
    partition: i32,
    stream: &mut TcpStream,
    found: &mut Found,
) -> Result<(), Failure> {
    let (mut next, end) = kafka::bounds(stream, &arguments.log, partition).await?;
    while next < end {
        let sent = clock.monotonic();
        let records = fetch(arguments, partition, next, stream).await?;
        found.latency.record(clock.monotonic().since(sent));
        let before = next;
        check(records, partition, &mut next, found)?;
        if next == before {
            return Err(Failure::failed(format!(
                "partition {partition} gave nothing at offset {next}, before its end {end}"
            )));
        }
    }
    Ok(())
}

async fn fetch(
    arguments: &ConsumeBench,
    partition: i32,
    next: i64,
    stream: &mut TcpStream,
) -> Result<Bytes, Failure> {
    let bytes_max = i32::try_from(arguments.fetch_bytes).unwrap_or(i32::MAX);
    let asked = FetchPartition::default()
        .with_partition(partition)
        .with_current_leader_epoch(-1)
        .with_fetch_offset(next)
        .with_last_fetched_epoch(-1)
        .with_log_start_offset(-1)
        .with_partition_max_bytes(bytes_max);
    let topic = FetchTopic::default()
        .with_topic(kafka::topic_name(&arguments.log))
        .with_partitions(vec![asked]);
    let request = FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_wait_ms(WAIT_MS_MAX)
        .with_min_bytes(1)
        .with_max_bytes(bytes_max)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let answer = kafka::call(stream, &request, FETCH_VERSION).await?;
    kafka::refused(answer.error_code, &arguments.log, partition)?;
    let data = answer.responses.into_iter().flat_map(|topic| topic.partitions).next();
    let data = data.ok_or_else(|| Failure::failed("the node answered for no partition"))?;
    kafka::refused(data.error_code, &arguments.log, partition)?;
    Ok(data.records.unwrap_or_default())
}

/// Verifies whole batches; a part of one at the end belongs to the next fetch.
fn check(
    mut records: Bytes,
    partition: i32,
    next: &mut i64,
    found: &mut Found,
) -> Result<(), Failure> {
    let wrong = |at: i64, why: String| {
        Err(Failure::failed(format!("partition {partition} at offset {at}: {why}")))
    };
    while let Ok(header) = BatchHeader::parse(&records) {
        if header.batch_bytes > records.len() {
            break;
        }
        let batch = records.split_to(header.batch_bytes);
        if let Err(error) = BatchHeader::verify(&batch) {
            return wrong(*next, error.to_string());
        }
        let after = header.base_offset + i64::from(header.last_offset_delta) + 1;
        // The first batch of a fetch may begin before what was asked for, and after it in
        // a log that was compacted.
        if after <= *next {
            return wrong(
                *next,
                format!("a batch with offsets {} to {} came", header.base_offset, after - 1),
            );
        }
        let asked_for = u64::try_from(after - *next).unwrap_or(0);
        found.records += asked_for.min(header.records());
        found.bytes += batch.len() as u64;
        *next = after;
    }
    Ok(())
}
