//! Producers of our own: each sends a record when the last one was acknowledged.
//!
//! All of them share one thread, as those of `redis-benchmark` do.

use crate::subject::Figure;
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, timeout};

/// A server that does not answer for so long does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub trait Producer {
    /// Sends a record and waits until it is acknowledged.
    fn send(&mut self) -> impl Future<Output = Result<()>>;
}

/// A runtime of one thread.
pub fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Connects all producers, and lets them send for so long.
pub fn drive<P: Producer + 'static>(
    runtime: &Runtime,
    producers: usize,
    each: Duration,
    connect: impl AsyncFn(usize) -> Result<P>,
) -> Result<Figure> {
    let local = LocalSet::new();
    let run = local.run_until(async {
        let mut connected = Vec::with_capacity(producers);
        for number in 0..producers {
            let mut producer = connect(number).await?;
            // What is made at the first record is not measured.
            producer.send().await?;
            connected.push(producer);
        }
        let begin = Instant::now();
        let mut sending = JoinSet::new();
        for producer in connected {
            sending.spawn_local(send(producer, begin + each));
        }
        let mut latencies = Vec::new();
        while let Some(sent) = sending.join_next().await {
            latencies.extend(sent??);
        }
        Figure::of(latencies, begin.elapsed())
    });
    let within = async { timeout(each + PATIENCE, run).await.context("the server hangs")? };
    runtime.block_on(within)
}

async fn send(mut producer: impl Producer, until: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut begin = Instant::now();
    while begin < until {
        producer.send().await?;
        let end = Instant::now();
        latencies.push(end - begin);
        begin = end;
    }
    Ok(latencies)
}

impl Figure {
    fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> Result<Figure> {
        ensure!(!latencies.is_empty(), "not one record was acknowledged");
        latencies.sort_unstable();
        let percentile =
            |of: usize| latencies[(latencies.len() - 1) * of / 100].as_secs_f64() * 1e3;
        let seconds = elapsed.as_secs_f64();
        Ok(Figure {
            records_per_second: latencies.len() as f64 / seconds,
            p50_ms: percentile(50),
            p99_ms: percentile(99),
            seconds,
            generator_cpu: 0.0,
        })
    }
}
