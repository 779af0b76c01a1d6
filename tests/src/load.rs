//! Producers that go on through every fault and remember what they were told.
//!
//! Each has a partition to itself and several requests in flight. It never
//! sends a value again: what became of a request whose answer did not come is
//! unknown, and the next request has new values.

use crate::batch::{self, Record};
use crate::checker::{Anomaly, History, check};
use crate::kafka::{Client, code};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A dead node refuses connections at once; without a pause the producers
/// would keep the machine busy with asking.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(2);
/// Padding of each value.
const PADDING: &str = "----------------------------------------------------------------";

/// What the producers do.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// Where Kafka is served, before and after every restart.
    pub address: SocketAddr,
    /// The topic.
    pub topic: String,
    /// Producers, each on the partition of its number.
    pub producers: usize,
    /// Records of a batch.
    pub batch_records: usize,
    /// Batches in flight.
    pub in_flight: usize,
}

/// Running producers.
#[derive(Debug)]
pub struct Load {
    plan: LoadPlan,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<History>>,
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    acknowledged: AtomicU64,
    in_flight: Vec<AtomicUsize>,
    /// How often each error code came.
    codes: Mutex<BTreeMap<i16, u64>>,
    /// Connections that broke.
    broken: AtomicU64,
}

/// What they did.
#[derive(Debug)]
pub struct Outcome {
    /// Per partition.
    pub histories: Vec<History>,
    /// How often each error code came.
    pub codes: BTreeMap<i16, u64>,
    /// Connections that broke.
    pub broken: u64,
}

impl Load {
    /// Starts them.
    pub fn start(plan: LoadPlan) -> Load {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            in_flight: (0..plan.producers).map(|_| AtomicUsize::new(0)).collect(),
            codes: Mutex::default(),
            broken: AtomicU64::new(0),
        });
        let threads = (0..plan.producers).map(|number| {
            let producer = Producer {
                plan: plan.clone(),
                shared: Arc::clone(&shared),
                number,
                history: History::default(),
            };
            thread::spawn(move || producer.run())
        });
        Load { threads: threads.collect(), plan, shared }
    }

    /// Records acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    /// How many producers have a request on the wire and no answer.
    pub fn producers_in_flight(&self) -> usize {
        self.shared.in_flight.iter().filter(|count| count.load(Ordering::SeqCst) > 0).count()
    }

    /// Connections that broke so far.
    pub fn broken(&self) -> u64 {
        self.shared.broken.load(Ordering::SeqCst)
    }

    /// Stops them after their last answers.
    pub fn stop(self) -> Outcome {
        self.shared.stop.store(true, Ordering::SeqCst);
        let histories = self
            .threads
            .into_iter()
            .map(|thread| thread.join().expect("a producer never panics"))
            .collect();
        let codes = self.shared.codes.lock().expect("no producer panics").clone();
        Outcome { histories, codes, broken: self.shared.broken.load(Ordering::SeqCst) }
    }

    /// The plan it was started with.
    pub fn plan(&self) -> &LoadPlan {
        &self.plan
    }
}

impl Outcome {
    /// Records acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.histories.iter().map(|history| history.acknowledged.len()).sum()
    }

    /// Reads every partition and judges it.
    pub fn judge(&self, address: SocketAddr, topic: &str) -> Result<Vec<Anomaly>> {
        let mut client = Client::dial(address)?;
        let mut anomalies = Vec::new();
        for (partition, history) in (0..).zip(&self.histories) {
            let mut read = Vec::new();
            for batch in client.read_all(topic, partition)? {
                for (offset, record) in batch.records()? {
                    read.push((
                        offset,
                        String::from_utf8(record.value.context("a record without a value")?)?,
                    ));
                }
            }
            anomalies.extend(check(history, &read));
        }
        Ok(anomalies)
    }
}

struct Producer {
    plan: LoadPlan,
    shared: Arc<Shared>,
    number: usize,
    history: History,
}

impl Producer {
    fn run(mut self) -> History {
        while !self.stopping() {
            let Ok(client) = Client::dial(self.plan.address) else {
                thread::sleep(PAUSE_AFTER_REFUSAL);
                continue;
            };
            if self.produce(client).is_err() {
                self.shared.broken.fetch_add(1, Ordering::SeqCst);
            }
            self.shared.in_flight[self.number].store(0, Ordering::SeqCst);
        }
        self.history
    }

    fn stopping(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }

    /// Keeps requests in flight until the connection breaks or the end is near.
    fn produce(&mut self, mut client: Client) -> Result<()> {
        let mut waiting = VecDeque::new();
        loop {
            while waiting.len() < self.plan.in_flight && !self.stopping() {
                waiting.push_back(self.send(&mut client)?);
                self.shared.in_flight[self.number].store(waiting.len(), Ordering::SeqCst);
            }
            let Some(first) = waiting.front().copied() else { return Ok(()) };
            let produced = client.receive_produced()?;
            waiting.pop_front();
            self.shared.in_flight[self.number].store(waiting.len(), Ordering::SeqCst);
            if produced.code == code::NONE {
                self.acknowledge(first, produced.base_offset);
            } else {
                *self
                    .shared
                    .codes
                    .lock()
                    .expect("no producer panics")
                    .entry(produced.code)
                    .or_default() += 1;
                thread::sleep(PAUSE_AFTER_REFUSAL);
            }
        }
    }

    /// Sends new values; the place of the first of them.
    fn send(&mut self, client: &mut Client) -> Result<usize> {
        let first = self.history.sent.len();
        let values = (first..first + self.plan.batch_records)
            .map(|place| format!("{}-{place}{PADDING}", self.number));
        self.history.sent.extend(values);
        let records: Vec<Record> =
            self.history.sent[first..].iter().map(|value| Record::value(value.as_str())).collect();
        client.send_produce(&self.plan.topic, self.number as i32, batch::encode(&records))?;
        Ok(first)
    }

    fn acknowledge(&mut self, first: usize, base_offset: i64) {
        let places = first..first + self.plan.batch_records;
        self.history.acknowledged.extend(places.zip(base_offset..));
        self.shared.acknowledged.fetch_add(self.plan.batch_records as u64, Ordering::SeqCst);
    }
}
