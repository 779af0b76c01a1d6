//! Every round of every cell, and what is made of them.

use crate::PRODUCERS;
use crate::arguments::Arguments;
use crate::subject::{Absent, Figure, Promise, Subjects, VALUE_BYTES};
use serde::Serialize;
use std::fmt::Write;

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The server.
    pub name: String,
    /// What it promised.
    pub promise: Promise,
    /// Connections with one record in flight each.
    pub producers: usize,
    /// From 1.
    pub round: usize,
    /// What was measured.
    #[serde(flatten)]
    pub figure: Figure,
}

/// A run.
#[derive(Debug, Serialize)]
pub struct Report {
    seconds_each: u64,
    rounds: usize,
    value_bytes: usize,
    /// Cells that are empty, and why.
    absent: Vec<Absent>,
    cells: Vec<Cell>,
    /// Rows, in the order in which the servers were started.
    #[serde(skip)]
    names: Vec<String>,
}

impl Report {
    /// An empty one.
    pub fn new(arguments: &Arguments, all: &Subjects) -> Report {
        let present = all.present.iter().map(|subject| &subject.name);
        let mut names: Vec<String> = Vec::new();
        for name in present.chain(all.absent.iter().map(|absent| &absent.name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Report {
            seconds_each: arguments.each.as_secs(),
            rounds: arguments.rounds,
            value_bytes: VALUE_BYTES,
            absent: all.absent.clone(),
            cells: Vec::new(),
            names,
        }
    }

    /// Another measurement.
    pub fn push(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// A table for each promise, as `docs/performance.md` has them.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for promise in [Promise::Durable, Promise::Relaxed] {
            let _ = write!(text, "| {promise}, 1 KiB |");
            for producers in PRODUCERS {
                let plural = if producers == 1 { "" } else { "s" };
                let _ = write!(text, " {producers} producer{plural} | p50, p99 |");
            }
            text += "\n|---|---|---|---|---|\n";
            for name in &self.names {
                self.row(name, promise, &mut text);
            }
            text.push('\n');
        }
        text
    }

    fn row(&self, name: &str, promise: Promise, text: &mut String) {
        let absent = |absent: &&Absent| absent.name == name && absent.promise == promise;
        if let Some(absent) = self.absent.iter().find(absent) {
            let _ = writeln!(text, "| {name} | {} | | | |", absent.why);
            return;
        }
        let is_it = |cell: &&Cell| cell.name == name && cell.promise == promise;
        if self.cells.iter().any(|cell| is_it(&cell)) {
            let cells = PRODUCERS.map(|producers| {
                let of = self.cells.iter().filter(is_it).filter(|cell| cell.producers == producers);
                cell(of.map(|cell| cell.figure).collect())
            });
            let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
        }
    }
}

/// The rate with its extremes, then the latencies; of one cell over all rounds.
fn cell(figures: Vec<Figure>) -> String {
    if figures.is_empty() {
        return "– | –".to_owned();
    }
    let [low, rate, high] = spread(&figures, |figure| figure.records_per_second);
    let [_, p50, _] = spread(&figures, |figure| figure.p50_ms);
    let [_, p99, _] = spread(&figures, |figure| figure.p99_ms);
    format!("{}/s ({}–{}) | {p50:.2}, {p99:.2} ms", grouped(rate), grouped(low), grouped(high))
}

/// The least, the median and the greatest.
fn spread(figures: &[Figure], of: impl Fn(&Figure) -> f64) -> [f64; 3] {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    [values[0], (values[last / 2] + values[last.div_ceil(2)]) / 2.0, values[last]]
}

/// A rate for people: three digits count, and thousands are set apart.
fn grouped(rate: f64) -> String {
    let digits = (rate.max(1.0).log10().floor() as i32 - 2).max(0);
    let unit = 10f64.powi(digits);
    let rounded = ((rate / unit).round() * unit) as u64;
    match rounded {
        0..1_000 => rounded.to_string(),
        1_000..1_000_000 => format!("{},{:03}", rounded / 1_000, rounded % 1_000),
        _ => {
            let (millions, rest) = (rounded / 1_000_000, rounded % 1_000_000);
            format!("{millions},{:03},{:03}", rest / 1_000, rest % 1_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_put_for_people() {
        assert_eq!(grouped(12.4), "12");
        assert_eq!(grouped(48_349.0), "48,300");
        assert_eq!(grouped(1_234_567.0), "1,230,000");
        let figure = |rate| Figure {
            records_per_second: rate,
            p50_ms: 1.0,
            p99_ms: 2.0,
            seconds: 1.0,
            generator_cpu: 0.5,
        };
        let text = cell(vec![figure(9.0), figure(1_000.0), figure(20.0)]);
        assert_eq!(text, "20/s (9–1,000) | 1.00, 2.00 ms");
        let [_, middle, _] =
            spread(&[figure(4.0), figure(2.0)], |figure| figure.records_per_second);
        assert_eq!(middle, 3.0);
    }
}
