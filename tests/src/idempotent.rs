//! Idempotent producers: what is not acknowledged is sent again, in its order and
//! with its sequence, until it is. So nothing is left unknown at the end, and a
//! value that is there twice is the broker's doing (ONCE).

use crate::batch::{self, Record};
use crate::checker::{Anomaly, History, check};
use crate::kafka::{Client, code};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// As many as every client keeps: a broker remembers five.
const IN_FLIGHT: usize = 4;
/// A dead node refuses connections at once; without a pause the producers
/// would keep the machine busy with asking.
const PAUSE: Duration = Duration::from_millis(2);

/// Running producers, each on the partition of its number.
#[derive(Debug)]
pub struct IdempotentLoad {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<Produced>>>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    topic: String,
    batch_records: usize,
    /// Batches after which a producer begins a new session.
    session_batches: u64,
    stop: AtomicBool,
    acknowledged: AtomicU64,
    sessions: AtomicU64,
    codes: Mutex<BTreeMap<i16, u64>>,
}

/// What one producer did.
#[derive(Debug, Default)]
struct Produced {
    history: History,
    sessions: Vec<i64>,
    resent: u64,
}

/// What all of them did.
#[derive(Debug)]
pub struct Outcome {
    /// Per partition.
    pub histories: Vec<History>,
    /// Every session that a producer was given, in no order.
    pub sessions: Vec<i64>,
    /// Batches sent again.
    pub resent: u64,
    /// How often each error code came.
    pub codes: BTreeMap<i16, u64>,
}

impl IdempotentLoad {
    /// Starts `producers` of them.
    pub fn start(
        address: SocketAddr,
        topic: &str,
        producers: usize,
        batch_records: usize,
        session_batches: u64,
    ) -> IdempotentLoad {
        let shared = Arc::new(Shared {
            address,
            topic: topic.to_owned(),
            batch_records,
            session_batches,
            stop: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            sessions: AtomicU64::new(0),
            codes: Mutex::default(),
        });
        let threads = (0..producers).map(|number| {
            let producer = Producer {
                shared: Arc::clone(&shared),
                number,
                produced: Produced::default(),
                session: None,
                unanswered: VecDeque::new(),
            };
            thread::spawn(move || producer.run())
        });
        let threads = threads.collect();
        IdempotentLoad { shared, threads }
    }

    /// Records acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    /// Sessions given out so far.
    pub fn sessions(&self) -> u64 {
        self.shared.sessions.load(Ordering::SeqCst)
    }

    /// Stops them once everything they sent is acknowledged.
    ///
    /// # Errors
    /// When one of them was told what no retry can mend.
    pub fn stop(self) -> Result<Outcome> {
        self.shared.stop.store(true, Ordering::SeqCst);
        let mut outcome = Outcome {
            histories: Vec::new(),
            sessions: Vec::new(),
            resent: 0,
            codes: BTreeMap::new(),
        };
        for thread in self.threads {
            let produced = thread.join().expect("a producer never panics")?;
            outcome.histories.push(produced.history);
            outcome.sessions.extend(produced.sessions);
            outcome.resent += produced.resent;
        }
        outcome.codes = self.shared.codes.lock().expect("no producer panics").clone();
        Ok(outcome)
    }
}

impl Outcome {
    /// Reads every partition and judges it: everything that was sent is there,
    /// once, in its order.
    pub fn judge(&self, address: SocketAddr, topic: &str) -> Result<Vec<Anomaly>> {
        let mut client = Client::dial(address)?;
        let mut anomalies = Vec::new();
        for (partition, history) in (0..).zip(&self.histories) {
            let mut read = Vec::new();
            for batch in client.read_all(topic, partition)? {
                for (offset, record) in batch.records()? {
                    let value = record.value.context("a record without a value")?;
                    read.push((offset, String::from_utf8(value)?));
                }
            }
            anomalies.extend(check(history, &read));
            // All was acknowledged, if not all with an offset.
            if read.len() != history.sent.len() {
                let (expected, found) = (history.sent.len() as i64, read.len() as i64);
                anomalies.push(Anomaly::Offsets { expected, found });
            }
        }
        Ok(anomalies)
    }
}

/// A session and the sequence of its next record.
#[derive(Debug, Clone, Copy)]
struct Session {
    producer: i64,
    epoch: i16,
    next: i32,
    batches: u64,
}

/// A batch without an answer.
#[derive(Debug, Clone)]
struct Unanswered {
    first: usize,
    bytes: Vec<u8>,
}

struct Producer {
    shared: Arc<Shared>,
    number: usize,
    produced: Produced,
    session: Option<Session>,
    unanswered: VecDeque<Unanswered>,
}

impl Producer {
    fn run(mut self) -> Result<Produced> {
        while !(self.stopping() && self.unanswered.is_empty()) {
            let Ok(client) = Client::dial(self.shared.address) else {
                thread::sleep(PAUSE);
                continue;
            };
            match self.converse(client) {
                Ok(()) => {}
                // A broken connection: everything unanswered goes again.
                Err(error) if error.downcast_ref::<std::io::Error>().is_some() => {
                    thread::sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.produced)
    }

    fn stopping(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }

    fn converse(&mut self, mut client: Client) -> Result<()> {
        loop {
            for waiting in &self.unanswered {
                client.send_produce(
                    &self.shared.topic,
                    self.number as i32,
                    waiting.bytes.clone(),
                )?;
                self.produced.resent += 1;
            }
            let mut in_flight = self.unanswered.len();
            loop {
                while in_flight < IN_FLIGHT && !self.stopping() && self.has_session(&mut client)? {
                    self.send(&mut client)?;
                    in_flight += 1;
                }
                if in_flight == 0 {
                    if self.stopping() {
                        return Ok(());
                    }
                    thread::sleep(PAUSE);
                    continue;
                }
                let answer = client.receive_produced()?;
                in_flight -= 1;
                match answer.code {
                    code::NONE => self.acknowledge(Some(answer.base_offset))?,
                    code::DUPLICATE_SEQUENCE_NUMBER => self.acknowledge(None)?,
                    refused => {
                        self.count(refused)?;
                        break;
                    }
                }
            }
            // What followed the refused one was refused with it, or was a
            // duplicate: the answers are passed over and all of it goes again.
            for _ in 0..in_flight {
                client.receive_produced()?;
            }
            thread::sleep(PAUSE);
        }
    }

    /// A session, asked for when there is none or the old one has served.
    fn has_session(&mut self, client: &mut Client) -> Result<bool> {
        let worn = |session: &Session| session.batches >= self.shared.session_batches;
        if self.session.as_ref().is_some_and(|session| !worn(session)) {
            return Ok(true);
        }
        if !self.unanswered.is_empty() {
            return Ok(false);
        }
        let (answer, producer, epoch) = client.init_producer()?;
        if answer != code::NONE {
            self.count(answer)?;
            thread::sleep(PAUSE);
            return Ok(false);
        }
        self.produced.sessions.push(producer);
        self.shared.sessions.fetch_add(1, Ordering::SeqCst);
        self.session = Some(Session { producer, epoch, next: 0, batches: 0 });
        Ok(true)
    }

    fn send(&mut self, client: &mut Client) -> Result<()> {
        let count = self.shared.batch_records;
        let first = self.produced.history.sent.len();
        let values = (first..first + count).map(|place| format!("{}-{place}", self.number));
        self.produced.history.sent.extend(values);
        let sent = &self.produced.history.sent[first..];
        let records: Vec<Record> = sent.iter().map(|value| Record::value(value.as_str())).collect();
        let session = self.session.as_mut().context("a session")?;
        let bytes = batch::in_session(
            batch::encode(&records),
            session.producer,
            session.epoch,
            session.next,
        );
        session.next += i32::try_from(count)?;
        session.batches += 1;
        self.unanswered.push_back(Unanswered { first, bytes: bytes.clone() });
        client.send_produce(&self.shared.topic, self.number as i32, bytes)
    }

    fn acknowledge(&mut self, base_offset: Option<i64>) -> Result<()> {
        let oldest = self.unanswered.pop_front().context("an answer to nothing")?;
        if let Some(base) = base_offset.filter(|base| *base >= 0) {
            let places = oldest.first..oldest.first + self.shared.batch_records;
            self.produced.history.acknowledged.extend(places.zip(base..));
        }
        self.shared.acknowledged.fetch_add(self.shared.batch_records as u64, Ordering::SeqCst);
        Ok(())
    }

    fn count(&self, refused: i16) -> Result<()> {
        *self.shared.codes.lock().expect("no producer panics").entry(refused).or_default() += 1;
        match refused {
            code::UNKNOWN_PRODUCER_ID | code::INVALID_PRODUCER_EPOCH => {
                bail!("producer {}: code {refused}", self.number)
            }
            _ => Ok(()),
        }
    }
}
