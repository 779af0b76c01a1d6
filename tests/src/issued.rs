//! Consumers of ids, counters and sessions, who log what they were given. The
//! judge looks at nothing else: whatever the allocators believe, no value may
//! come twice, and what one node gives to one asker goes up.

use crate::http;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(2);

/// What is asked for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// `POST /v1/ids`, this many at a time.
    Ids(u32),
    /// `POST /v1/counters/NAME`, this many at a time.
    Counter(String, u32),
}

/// Somebody who asks one node, one request after the other, through every fault.
#[derive(Debug)]
pub struct Consumer {
    /// Whom it asks, for the messages.
    pub name: String,
    wanted: Wanted,
    shared: Arc<Shared>,
    thread: JoinHandle<Vec<u64>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    received: AtomicU64,
    refused: Mutex<BTreeMap<String, u64>>,
}

/// What a consumer was given, in order.
#[derive(Debug)]
pub struct Stream {
    /// Whom it asked.
    pub name: String,
    /// What it asked for.
    pub wanted: Wanted,
    /// The values.
    pub values: Vec<u64>,
    /// How often each error came.
    pub refused: BTreeMap<String, u64>,
}

impl Consumer {
    /// Starts asking.
    pub fn start(name: &str, address: SocketAddr, wanted: Wanted) -> Consumer {
        let shared = Arc::new(Shared::default());
        let (asked, seen) = (wanted.clone(), Arc::clone(&shared));
        let thread = thread::spawn(move || consume(address, &asked, &seen));
        Consumer { name: name.to_owned(), wanted, shared, thread }
    }

    /// Values received so far.
    pub fn received(&self) -> u64 {
        self.shared.received.load(Ordering::SeqCst)
    }

    /// Stops after the last answer.
    pub fn stop(self) -> Stream {
        self.shared.stop.store(true, Ordering::SeqCst);
        let values = self.thread.join().expect("a consumer never panics");
        let refused = self.shared.refused.lock().expect("no consumer panics").clone();
        Stream { name: self.name, wanted: self.wanted, values, refused }
    }
}

fn consume(address: SocketAddr, wanted: &Wanted, shared: &Shared) -> Vec<u64> {
    let mut all = Vec::new();
    while !shared.stop.load(Ordering::SeqCst) {
        match ask(address, wanted) {
            Ok(values) => {
                shared.received.fetch_add(values.len() as u64, Ordering::SeqCst);
                all.extend(values);
            }
            Err(refused) => {
                let mut all = shared.refused.lock().expect("no consumer panics");
                *all.entry(refused).or_default() += 1;
                drop(all);
                thread::sleep(PAUSE);
            }
        }
    }
    all
}

/// Asks once; an error is its public code, or `connection`.
pub fn ask(address: SocketAddr, wanted: &Wanted) -> Result<Vec<u64>, String> {
    let (path, body) = match wanted {
        Wanted::Ids(count) => ("/v1/ids".to_owned(), json!({ "count": count })),
        Wanted::Counter(name, count) => (format!("/v1/counters/{name}"), json!({ "count": count })),
    };
    let broken = |_| "connection".to_owned();
    let response = http::post(address, &path, &body).map_err(broken)?;
    let document = response.json().map_err(broken)?;
    if response.status >= 300 {
        let code = document["error"]["code"].as_str().unwrap_or("none");
        return Err(code.to_owned());
    }
    read(wanted, &document).map_err(|error| format!("{error}: {document}"))
}

fn read(wanted: &Wanted, document: &Value) -> Result<Vec<u64>> {
    let number = |value: &Value| -> Result<u64> {
        Ok(value.as_str().context("not a decimal string")?.parse()?)
    };
    match wanted {
        Wanted::Ids(_) => {
            document["ids"].as_array().context("no ids")?.iter().map(number).collect()
        }
        Wanted::Counter(..) => {
            let first = number(&document["first"])?;
            let count = document["count"].as_u64().context("no count")?;
            Ok((first..first + count).collect())
        }
    }
}

/// What is wrong with what was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// A value came twice.
    Twice {
        /// The value.
        value: u64,
        /// Who had it first, and who again.
        streams: (String, String),
    },
    /// A stream went back.
    Back {
        /// Whose.
        stream: String,
        /// The value before.
        before: u64,
        /// The value after, not above it.
        after: u64,
    },
}

/// Holds streams of one kind of value against each other.
pub fn judge<'a>(streams: impl IntoIterator<Item = (&'a str, &'a [u64])>) -> Vec<Wrong> {
    let mut owners: HashMap<u64, &str> = HashMap::new();
    let mut wrong = Vec::new();
    for (name, values) in streams {
        for pair in values.windows(2) {
            if pair[1] <= pair[0] {
                wrong.push(Wrong::Back {
                    stream: name.to_owned(),
                    before: pair[0],
                    after: pair[1],
                });
            }
        }
        for &value in values {
            if let Some(first) = owners.insert(value, name) {
                let streams = (first.to_owned(), name.to_owned());
                wrong.push(Wrong::Twice { value, streams });
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_catches_what_was_planted() {
        assert_eq!(judge([("a", &[1, 2, 5][..]), ("b", &[3, 4][..])]), []);
        let twice = judge([("a", &[1, 2][..]), ("b", &[2][..])]);
        assert_eq!(twice, [Wrong::Twice { value: 2, streams: ("a".into(), "b".into()) }]);
        let back = judge([("a", &[1, 3, 2][..])]);
        assert_eq!(back, [Wrong::Back { stream: "a".into(), before: 3, after: 2 }]);
    }
}
