//! How far it is, for someone who watches: on a terminal only.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bar, or nothing. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// Records that are durable.
    durable: Arc<AtomicU64>,
}

impl Progress {
    /// Nobody watches.
    pub fn hidden() -> Progress {
        Progress { bar: ProgressBar::hidden(), durable: Arc::default() }
    }

    /// A bar on standard error if that is a terminal; of `bytes`, if they are known.
    pub fn shown(name: &str, bytes: Option<u64>) -> Progress {
        if !io::stderr().is_terminal() {
            return Progress::hidden();
        }
        let (bar, template) = match bytes {
            Some(bytes) => (
                ProgressBar::new(bytes),
                "{prefix} {bar:30} {bytes}/{total_bytes} {msg} {eta:.dim}",
            ),
            None => (ProgressBar::new_spinner(), "{prefix} {spinner} {bytes} {msg}"),
        };
        let style = ProgressStyle::with_template(template);
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress { bar: bar.with_prefix(name.to_owned()), durable: Arc::default() }
    }

    /// Counts what is read.
    pub fn counting(&self, reader: impl Read + Send + 'static) -> impl Read + Send + 'static {
        self.bar.wrap_read(reader)
    }

    /// So many rows were read.
    pub fn read(&self, rows: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        let durable = HumanCount(self.durable.load(Ordering::Relaxed));
        let per_second = HumanCount((rows as f64 / seconds) as u64);
        let rows = HumanCount(rows);
        self.bar.set_message(format!("{rows} rows, {per_second}/s, {durable} durable"));
    }

    /// So many records are durable.
    pub fn durable(&self, records: u64) {
        self.durable.store(records, Ordering::Relaxed);
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
