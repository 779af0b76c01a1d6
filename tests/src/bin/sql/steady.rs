//! Somebody who works while others query: a producer at a steady rate with `acks=all`,
//! and a consumer at its heels.

use anyhow::{Context, Result, ensure};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use pyralog_tests::batch::{self, Record};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::Plan;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const NAME: &str = "steady";
/// Between two records: 200 a second.
const PERIOD: Duration = Duration::from_millis(5);
const VALUE_BYTES: usize = 1024;
/// How long the consumer lets a fetch wait.
const WAIT_MS: i32 = 500;
const FETCH: i16 = 11;
/// The value of the last record.
const END: u64 = u64::MAX;

/// A producer and a consumer at work.
pub struct Steady {
    epoch: Instant,
    /// Nanoseconds since `epoch`; those who were due before stop. 0: go on.
    stop: Arc<AtomicU64>,
    producer: JoinHandle<Result<Vec<Sample>>>,
    consumer: JoinHandle<Result<Vec<Sample>>>,
}

/// How long something took that was due at a moment, as nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    due: u64,
    took: u64,
}

/// What both of them met.
pub struct Met {
    /// From when a record was due until it was acknowledged.
    pub acknowledged: Vec<Sample>,
    /// From when it was due until the consumer had it.
    pub consumed: Vec<Sample>,
}

impl Steady {
    /// Both begin.
    pub fn start(plan: &Plan) -> Result<Steady> {
        let (epoch, stop, address) = (Instant::now(), Arc::new(AtomicU64::new(0)), plan.kafka());
        let mut client = Client::dial(address)?;
        ensure!(client.create(NAME, 1)? == code::NONE, "the log {NAME} could not be made");
        let stopping = Arc::clone(&stop);
        let producer = thread::spawn(move || produce(client, epoch, &stopping));
        let consumer = thread::spawn(move || consume(Client::dial(address)?, epoch));
        Ok(Steady { epoch, stop, producer, consumer })
    }

    /// Nanoseconds since they began.
    pub fn now(&self) -> u64 {
        nanos(self.epoch)
    }

    /// Both end, the consumer with the last record.
    pub fn stop(self) -> Result<Met> {
        self.stop.store(nanos(self.epoch), Ordering::SeqCst);
        let acknowledged = self.producer.join().expect("the producer does not panic")?;
        let consumed = self.consumer.join().expect("the consumer does not panic")?;
        ensure!(acknowledged.len() == consumed.len(), "{} consumed", consumed.len());
        Ok(Met { acknowledged, consumed })
    }
}

/// The 99th percentile of those that were due from one moment to another.
pub fn p99(samples: &[Sample], from: u64, to: u64) -> Result<Duration> {
    let due = samples.iter().filter(|sample| (from..to).contains(&sample.due));
    let mut took: Vec<u64> = due.map(|sample| sample.took).collect();
    took.sort_unstable();
    let place = (took.len() * 99).div_ceil(100).saturating_sub(1);
    Ok(Duration::from_nanos(*took.get(place).context("nothing was due")?))
}

fn nanos(epoch: Instant) -> u64 {
    u64::try_from(epoch.elapsed().as_nanos()).expect("a run of less than 500 years")
}

fn produce(mut client: Client, epoch: Instant, stop: &AtomicU64) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for turn in 0_u32.. {
        // Late ones are sent at once, and were due when they were due.
        let due = PERIOD * turn;
        if let Some(early) = due.checked_sub(epoch.elapsed()) {
            thread::sleep(early);
        }
        if stop.load(Ordering::SeqCst) > 0 {
            break;
        }
        let due = u64::try_from(due.as_nanos())?;
        append(&mut client, due)?;
        samples.push(Sample { due, took: nanos(epoch) - due });
    }
    append(&mut client, END)?;
    Ok(samples)
}

fn append(client: &mut Client, due: u64) -> Result<()> {
    let mut value = vec![b'.'; VALUE_BYTES];
    value[..8].copy_from_slice(&due.to_be_bytes());
    let produced = client.produce(NAME, 0, batch::encode(&[Record::value(value)]))?;
    ensure!(produced.code == code::NONE, "an append failed with code {}", produced.code);
    Ok(())
}

fn consume(mut client: Client, epoch: Instant) -> Result<Vec<Sample>> {
    let (mut samples, mut next) = (Vec::new(), 0);
    loop {
        for one in batch::split(&fetch(&mut client, next)?)? {
            next = one.base_offset + i64::from(one.record_count);
            for (_, record) in one.records()? {
                let value = record.value.context("a record without a value")?;
                let due = u64::from_be_bytes(value[..8].try_into()?);
                if due == END {
                    return Ok(samples);
                }
                samples.push(Sample { due, took: nanos(epoch) - due });
            }
        }
    }
}

/// What comes next, waited for.
fn fetch(client: &mut Client, offset: i64) -> Result<bytes::Bytes> {
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(TopicName(StrBytes::from_static_str(NAME)))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_min_bytes(1)
        .with_max_wait_ms(WAIT_MS)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let mut response = client.call(FETCH, &request)?;
    let mut topic = response.responses.pop().context("no topic in the answer")?;
    let data = topic.partitions.pop().context("no partition in the answer")?;
    ensure!(data.error_code == code::NONE, "a fetch failed with code {}", data.error_code);
    Ok(data.records.unwrap_or_default())
}
