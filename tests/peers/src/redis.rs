//! Redis with its append-only file, driven by its own `redis-benchmark`.

use crate::server::{Server, free_address, version};
use crate::subject::{Figure, Load, Promise, Subjects, VALUE_BYTES};
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Records that tell how many fit into the time.
const FIRST: f64 = 2_000.0;

struct Redis {
    _server: Server,
    address: SocketAddr,
    /// What was measured last, by producers: `redis-benchmark` takes a count, not a time.
    rates: HashMap<usize, f64>,
}

/// Starts one for each promise.
pub fn start(home: &Path, all: &mut Subjects) -> Result<()> {
    let there = version("redis-server", "--version").zip(version("redis-benchmark", "--version"));
    let Some((version, _)) = there else {
        all.not_installed("Redis", "redis-server");
        return Ok(());
    };
    for (promise, fsync) in [(Promise::Durable, "always"), (Promise::Relaxed, "everysec")] {
        let (dir, address) = (home.join(format!("redis-{fsync}")), free_address()?);
        let mut command = Command::new("redis-server");
        let port = address.port().to_string();
        command
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0", "--dir"])
            .arg(&dir);
        let mut server = Server::start(command, &dir)?;
        server.listens(address)?;
        let load = Redis { _server: server, address, rates: HashMap::new() };
        all.present(&format!("Redis {version}"), promise, Box::new(load));
    }
    Ok(())
}

impl Load for Redis {
    fn run(&mut self, producers: usize, each: Duration) -> Result<Figure> {
        let rate = match self.rates.get(&producers) {
            Some(rate) => *rate,
            None => self.benchmark(producers, FIRST)?.records_per_second,
        };
        let figure = self.benchmark(producers, rate * each.as_secs_f64())?;
        self.rates.insert(producers, figure.records_per_second);
        Ok(figure)
    }
}

impl Redis {
    fn benchmark(&self, producers: usize, records: f64) -> Result<Figure> {
        // At least a few of each connection.
        let records = (records as u64).max(producers as u64 * 10);
        let begin = Instant::now();
        let output = Command::new("redis-benchmark")
            .args(["-h", "127.0.0.1", "-p", &self.address.port().to_string(), "-t", "set"])
            .args(["-d", &VALUE_BYTES.to_string(), "-c", &producers.to_string()])
            .args(["-n", &records.to_string(), "--csv"])
            .output()?;
        let seconds = begin.elapsed().as_secs_f64();
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        let cells = |line: &str| -> Vec<String> {
            line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect()
        };
        let head = text.lines().find(|line| line.starts_with("\"test\"")).map(cells);
        let found = text.lines().find(|line| line.starts_with("\"SET\"")).map(cells);
        let (head, found) = head.zip(found).with_context(|| format!("what is this? {text}"))?;
        let number = |name: &str| -> Result<f64> {
            let at = head.iter().position(|of| of == name);
            let cell = at.and_then(|at| found.get(at)).with_context(|| format!("no {name}"))?;
            Ok(cell.parse()?)
        };
        Ok(Figure {
            records_per_second: number("rps")?,
            p50_ms: number("p50_latency_ms")?,
            p99_ms: number("p99_latency_ms")?,
            seconds,
            generator_cpu: 0.0,
        })
    }
}
