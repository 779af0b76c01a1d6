//! `bench produce`: appends over Kafka's protocol and counts what was
//! acknowledged.
//!
//! The requests are made once: a batch without a session may be sent again and
//! again, and only the correlation id changes. So the bench costs the machine
//! little more than the copies through the socket.

use super::kafka::{self, PRODUCE_VERSION, broken};
use super::{Latency, Machine, Report, payload};
use crate::cli::ProduceBench;
use crate::failure::Failure;
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use pyralog_env::{Clock, Monotonic, RealClock, RealEntropy};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader, BufWriter};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long the node may take for one append, in milliseconds.
const ACKNOWLEDGE_TIMEOUT_MS: i32 = 60_000;

/// Small requests are gathered up to this many bytes.
const WRITE_BYTES: usize = 256 << 10;

/// What all connections share.
struct Load {
    clock: RealClock,
    log: String,
    batch_bytes: u64,
    batch_records: u64,
    deadline: Option<Monotonic>,
    /// Batches that may still be sent; counts down.
    batches_left: AtomicU64,
}

/// What one connection found.
#[derive(Default)]
struct Found {
    batches: u64,
    latency: Latency,
}

/// Runs it.
pub async fn run(arguments: ProduceBench) -> Result<Report, Failure> {
    let clock = RealClock::new();
    let (batch, batch_records) = payload::batch(
        &RealEntropy,
        clock.wall().0,
        arguments.record_bytes as usize,
        arguments.batch_bytes as usize,
    );
    let mut first = kafka::connect(&arguments.bootstrap).await?;
    kafka::check_log(&mut first, &arguments.log, arguments.partitions).await?;
    drop(first);
    let frames = frames(&arguments.log, arguments.partitions, &batch)?;
    let batch_bytes = batch.len() as u64;
    let started = clock.monotonic();
    let load = Arc::new(Load {
        log: arguments.log.clone(),
        batch_bytes,
        batch_records,
        deadline: arguments
            .total_bytes
            .is_none()
            .then(|| started + Duration::from_secs(arguments.seconds)),
        batches_left: AtomicU64::new(
            arguments.total_bytes.map_or(u64::MAX, |bytes| bytes.div_ceil(batch_bytes)),
        ),
        clock,
    });
    let mut connections = JoinSet::new();
    for index in 0..arguments.connections {
        let (load, mut frames) = (Arc::clone(&load), frames.clone());
        // Each begins at another partition, so that they do not march in step.
        let shift = (index * arguments.partitions / arguments.connections) as usize;
        frames.rotate_left(shift % arguments.partitions as usize);
        let (bootstrap, in_flight) = (arguments.bootstrap.clone(), arguments.in_flight as usize);
        connections.spawn(async move { connection(&load, &bootstrap, frames, in_flight).await });
    }
    let mut found = Found::default();
    while let Some(one) = connections.join_next().await {
        let one = one.map_err(Failure::failed)??;
        found.batches += one.batches;
        found.latency.add(&one.latency);
    }
    Ok(report(&arguments, &load, &found, load.clock.monotonic().since(started)))
}

/// One ready request a partition.
fn frames(log: &str, partitions: u32, batch: &Bytes) -> Result<Vec<BytesMut>, Failure> {
    let frame = |partition: u32| {
        let data = PartitionProduceData::default()
            .with_index(i32::try_from(partition).map_err(Failure::failed)?)
            .with_records(Some(batch.clone()));
        let topic = TopicProduceData::default()
            .with_name(kafka::topic_name(log))
            .with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(ACKNOWLEDGE_TIMEOUT_MS)
            .with_topic_data(vec![topic]);
        kafka::framed(&request, PRODUCE_VERSION)
    };
    (0..partitions).map(frame).collect()
}

/// Sends and counts on one connection, with so many requests in flight.
async fn connection(
    load: &Load,
    bootstrap: &str,
    frames: Vec<BytesMut>,
    in_flight: usize,
) -> Result<Found, Failure> {
    let (reader, writer) = kafka::connect(bootstrap).await?.into_split();
    // The queue's places are the requests in flight: a place is free again when
    // the answer has been read. The one being waited for is out of the queue.
    let (sent, waiting) = mpsc::channel(in_flight.saturating_sub(1).max(1));
    let gate = Arc::new(tokio::sync::Semaphore::new(in_flight));
    let (sending, receiving) = tokio::join!(
        send(load, writer, frames, Arc::clone(&gate), sent),
        receive(load, reader, Arc::clone(&gate), waiting)
    );
    // What the node answered explains more than that it closed the connection.
    let found = receiving?;
    sending.map(|()| found)
}

async fn send(
    load: &Load,
    writer: OwnedWriteHalf,
    mut frames: Vec<BytesMut>,
    gate: Arc<tokio::sync::Semaphore>,
    sent: mpsc::Sender<Monotonic>,
) -> Result<(), Failure> {
    let count = frames.len();
    // Requests that may go at the same time go in one write, as any client with
    // many in flight would have it.
    let mut writer = BufWriter::with_capacity(WRITE_BYTES, writer);
    for correlation in 0_usize.. {
        let permit = match gate.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                writer.flush().await.map_err(broken)?;
                gate.acquire().await.map_err(Failure::failed)?
            }
        };
        if !load.goes_on() {
            break;
        }
        // Given back by the one who reads the answer.
        permit.forget();
        let frame = &mut frames[correlation % count];
        kafka::number(frame, (correlation & 0x7fff_ffff) as i32);
        if sent.send(load.clock.monotonic()).await.is_err() {
            break;
        }
        writer.write_all(frame).await.map_err(broken)?;
    }
    writer.flush().await.map_err(broken)
}

async fn receive(
    load: &Load,
    reader: OwnedReadHalf,
    gate: Arc<tokio::sync::Semaphore>,
    mut waiting: mpsc::Receiver<Monotonic>,
) -> Result<Found, Failure> {
    let outcome = count(load, reader, &gate, &mut waiting).await;
    // The sender may be waiting for a permit that nobody will give back.
    gate.close();
    outcome
}

async fn count(
    load: &Load,
    reader: OwnedReadHalf,
    gate: &tokio::sync::Semaphore,
    waiting: &mut mpsc::Receiver<Monotonic>,
) -> Result<Found, Failure> {
    let mut reader = BufReader::new(reader);
    let mut found = Found::default();
    let mut expected = 0_usize;
    while let Some(sent) = waiting.recv().await {
        let frame = kafka::read_frame(&mut reader).await?;
        let took = load.clock.monotonic().since(sent);
        let (correlation, answer) = kafka::decode::<ProduceRequest>(frame, PRODUCE_VERSION)?;
        if correlation != (expected & 0x7fff_ffff) as i32 {
            return Err(Failure::failed("the node answered out of order"));
        }
        let partition =
            answer.responses.first().and_then(|topic| topic.partition_responses.first());
        let partition =
            partition.ok_or_else(|| Failure::failed("the node acknowledged nothing"))?;
        kafka::refused(partition.error_code, &load.log, partition.index)?;
        found.batches += 1;
        found.latency.record(took);
        expected += 1;
        gate.add_permits(1);
    }
    Ok(found)
}

impl Load {
    /// True if another batch may be sent; it counts as sent then.
    fn goes_on(&self) -> bool {
        let in_time = self.deadline.is_none_or(|deadline| self.clock.monotonic() < deadline);
        in_time
            && self
                .batches_left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok()
    }
}

fn report(arguments: &ProduceBench, load: &Load, found: &Found, elapsed: Duration) -> Report {
    let settings = json!({
        "log": arguments.log,
        "partitions": arguments.partitions,
        "record_bytes": arguments.record_bytes,
        "batch_bytes": load.batch_bytes,
        "batch_records": load.batch_records,
        "in_flight": arguments.in_flight,
        "connections": arguments.connections,
        "acks": "all",
    });
    let machine = Machine::here(arguments.data_dir.as_deref());
    let counted = (Some(found.batches * load.batch_records), found.batches * load.batch_bytes);
    Report::new("produce", settings, machine, elapsed, counted, &found.latency)
}
