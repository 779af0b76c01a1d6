//! One writer and one reader of a log who note every write with its times, so
//! that what happened to writes before, during and after a fault can be told.

use crate::batch::{self, Record};
use crate::kafka::{Client, code};
use anyhow::Result;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Between two writes, so that a phase has hundreds and not many thousands.
const PAUSE: Duration = Duration::from_millis(3);

/// One acknowledged write of one record.
#[derive(Debug, Clone, Copy)]
pub struct Write {
    /// When it was sent.
    pub began: Instant,
    /// Until its acknowledgement.
    pub took: Duration,
    /// Where it stands.
    pub offset: i64,
}

/// What both share with the one who watches.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    writes: Mutex<Vec<Write>>,
    read: AtomicU64,
    errors: Mutex<Vec<String>>,
}

/// What one of the two does until it is stopped.
type Work = fn(SocketAddr, &str, &Shared) -> Result<()>;

/// A writer and a reader at work.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Journal {
    /// Begins to write to partition 0 of a log, and to read it from its start.
    pub fn start(address: SocketAddr, log: &str) -> Journal {
        let shared = Arc::new(Shared::default());
        let work: [Work; 2] = [write, read];
        let threads = work.map(|work| {
            let (shared, log) = (Arc::clone(&shared), log.to_owned());
            thread::spawn(move || {
                if let Err(error) = work(address, &log, &shared) {
                    shared.fail(format!("{error:#}"));
                }
            })
        });
        Journal { shared, threads: threads.into() }
    }

    /// Writes acknowledged so far.
    pub fn written(&self) -> usize {
        self.shared.writes.lock().expect("the writer never panics").len()
    }

    /// Records read so far.
    pub fn read(&self) -> u64 {
        self.shared.read.load(Ordering::SeqCst)
    }

    /// Everything that went wrong so far.
    pub fn errors(&self) -> Vec<String> {
        self.shared.errors.lock().expect("nobody panics").clone()
    }

    /// Stops both. All writes, and what went wrong.
    pub fn stop(self) -> (Vec<Write>, Vec<String>) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("neither ever panics");
        }
        let writes = self.shared.writes.lock().expect("the writer never panics").clone();
        let errors = self.shared.errors.lock().expect("nobody panics").clone();
        (writes, errors)
    }
}

impl Shared {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn fail(&self, error: String) {
        self.errors.lock().expect("nobody panics").push(error);
    }
}

fn write(address: SocketAddr, log: &str, shared: &Shared) -> Result<()> {
    let mut client = Client::dial(address)?;
    while !shared.stopping() {
        let began = Instant::now();
        let bytes = batch::encode(&[Record::value("written")]);
        let produced = client.produce(log, 0, bytes)?;
        let write = Write { began, took: began.elapsed(), offset: produced.base_offset };
        match produced.code {
            code::NONE => shared.writes.lock().expect("nobody panics").push(write),
            refused => shared.fail(format!("a write was refused with {refused}")),
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn read(address: SocketAddr, log: &str, shared: &Shared) -> Result<()> {
    let mut client = Client::dial(address)?;
    let mut next = 0;
    while !shared.stopping() {
        let fetched = client.fetch(log, 0, next)?;
        if fetched.code != code::NONE {
            shared.fail(format!("a fetch was refused with {}", fetched.code));
        }
        for batch in fetched.batches {
            if batch.base_offset != next {
                shared.fail(format!("offset {} came after {next}", batch.base_offset));
            }
            next = batch.base_offset + i64::from(batch.record_count);
            shared.read.store(next as u64, Ordering::SeqCst);
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// The writes that were sent and acknowledged between two moments.
pub fn between(writes: &[Write], from: Instant, to: Instant) -> Vec<Write> {
    let inside = |write: &&Write| write.began >= from && write.began + write.took <= to;
    writes.iter().filter(inside).copied().collect()
}

/// The time that `percent` of the writes did not take longer than.
///
/// # Panics
/// Without any writes.
pub fn percentile(writes: &[Write], percent: usize) -> Duration {
    let mut all: Vec<Duration> = writes.iter().map(|write| write.took).collect();
    all.sort_unstable();
    all[(all.len() * percent / 100).min(all.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_and_percentiles() {
        let start = Instant::now();
        let at = |millis| Write {
            began: start + Duration::from_millis(millis),
            took: Duration::from_millis(millis),
            offset: 0,
        };
        let writes: Vec<Write> = (0..100).map(at).collect();
        let phase = between(&writes, start, start + Duration::from_millis(50));
        assert_eq!(phase.len(), 26, "those that also ended in it");
        assert_eq!(percentile(&writes, 50), Duration::from_millis(50));
        assert_eq!(percentile(&writes, 100), Duration::from_millis(99));
    }
}
