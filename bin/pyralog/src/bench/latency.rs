//! How long things took, without averages that hide the tail.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// Durations, to three digits, up to ten minutes.
#[derive(Debug, Clone)]
pub struct Latency {
    micros: Histogram<u64>,
}

/// The usual percentiles in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half are faster.
    pub p50: f64,
    /// 90 of 100 are faster.
    pub p90: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
    /// 999 of 1,000 are faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl Default for Latency {
    fn default() -> Latency {
        let micros = Histogram::new_with_bounds(1, 600_000_000, 3).expect("the bounds are good");
        Latency { micros }
    }
}

impl Latency {
    /// Takes one duration.
    pub fn record(&mut self, duration: Duration) {
        self.micros
            .saturating_record(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    /// Takes another's durations.
    pub fn add(&mut self, other: &Latency) {
        self.micros.add(&other.micros).expect("the bounds are the same");
    }

    /// How many were taken.
    pub fn count(&self) -> u64 {
        self.micros.len()
    }

    /// The percentiles.
    pub fn percentiles(&self) -> Percentiles {
        let at = |quantile| self.micros.value_at_quantile(quantile) as f64 / 1000.0;
        let max = self.micros.max() as f64 / 1000.0;
        Percentiles { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max }
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Percentiles { p50, p90, p99, p999, max } = self;
        write!(f, "p50 {p50:.2}  p90 {p90:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_that_was_taken() {
        let mut latency = Latency::default();
        let mut other = Latency::default();
        for millis in 1..=1_000 {
            let side = if millis % 2 == 0 { &mut latency } else { &mut other };
            side.record(Duration::from_millis(millis));
        }
        latency.add(&other);
        let found = latency.percentiles();
        assert_eq!(latency.count(), 1_000);
        assert!((found.p50 - 500.0).abs() < 2.0 && (found.p99 - 990.0).abs() < 2.0, "{found}");
        assert!((found.max - 1_000.0).abs() < 2.0, "{found}");
    }
}
