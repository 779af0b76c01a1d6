//! What is measured: a server with what it promises when it acknowledges.

use anyhow::Result;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Bytes of a value.
pub const VALUE_BYTES: usize = 1024;

/// What an acknowledgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// The record survives a power cut.
    Durable,
    /// It may not.
    Relaxed,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Promise::Durable => "durable",
            Promise::Relaxed => "relaxed",
        })
    }
}

/// What one measurement gave.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figure {
    /// Acknowledged records a second.
    pub records_per_second: f64,
    /// From a record's first byte to its acknowledgement; half of them take less.
    pub p50_ms: f64,
    /// 99 in 100 take less.
    pub p99_ms: f64,
    /// How long it took.
    pub seconds: f64,
    /// Cores that the generator took.
    pub generator_cpu: f64,
}

/// Something that sends records and waits for each.
pub trait Load {
    /// So many connections, each with one record in flight.
    fn run(&mut self, producers: usize, each: Duration) -> Result<Figure>;
}

/// A server that runs, until this is dropped.
pub struct Subject {
    /// Its name and version.
    pub name: String,
    /// What it promises with these settings.
    pub promise: Promise,
    /// More producers than these make no sense.
    pub producers_max: usize,
    /// What loads it.
    pub load: Box<dyn Load>,
}

/// A cell that is empty.
#[derive(Debug, Clone, Serialize)]
pub struct Absent {
    /// The server.
    pub name: String,
    /// What would have been promised.
    pub promise: Promise,
    /// Why it is empty.
    pub why: String,
}

/// Everything, and what is missing.
#[derive(Default)]
pub struct Subjects {
    /// What is measured.
    pub present: Vec<Subject>,
    /// What is not.
    pub absent: Vec<Absent>,
}

impl Subjects {
    /// A server that runs.
    pub fn present(&mut self, name: &str, promise: Promise, load: Box<dyn Load>) {
        let name = name.to_owned();
        self.present.push(Subject { name, promise, producers_max: usize::MAX, load });
    }

    /// A cell that stays empty.
    pub fn absent(&mut self, name: &str, promise: Promise, why: impl Into<String>) {
        self.absent.push(Absent { name: name.to_owned(), promise, why: why.into() });
    }

    /// A server that is not installed has two of them.
    pub fn not_installed(&mut self, name: &str, package: &str) {
        for promise in [Promise::Durable, Promise::Relaxed] {
            self.absent(name, promise, format!("not there: apt-get install {package}"));
        }
    }
}
