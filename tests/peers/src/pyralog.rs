//! Pyralog, and the disk without any server.

use crate::server::Server;
use crate::subject::{Figure, Load, Promise, Subject, Subjects, VALUE_BYTES};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

/// The setting of a log whose records are acknowledged when the page cache has them.
const RELAXED: &str = "pyralog.durability=page-cache";

struct Node {
    _server: Server,
    binary: PathBuf,
    kafka: String,
}

struct Produce {
    node: Rc<Node>,
    log: &'static str,
}

struct Disk {
    binary: PathBuf,
    dir: PathBuf,
}

/// Starts a node with its usual settings, and a log for each promise.
pub fn start(binary: &Path, home: &Path, all: &mut Subjects) -> Result<()> {
    let dir = home.join("pyralog");
    let mut command = Command::new(binary);
    command.args(["dev", "--random-ports", "--data-dir"]).arg(dir.join("data"));
    let mut server = Server::start(command, &dir)?;
    let printed = server.wait_for(|server| {
        let text = std::fs::read_to_string(&server.output).ok()?;
        text.lines().any(|line| line == "ready").then_some(text)
    })?;
    let address = |of: &str| {
        let mut lines = printed.lines().map(|line| line.split_whitespace());
        let line = lines.find_map(|mut words| (words.next() == Some(of)).then_some(words));
        line.and_then(|mut words| words.next()).map(str::to_owned)
    };
    let kafka = address("Kafka").context("the node does not say where it listens")?;
    let http = address("HTTP").context("the node does not say where it listens")?;
    let create = |log: &str, settings: &[&str]| {
        let mut command = Command::new(binary);
        command.args(["log", "create", log, "--partitions", "1", "--server", &http]);
        command.args(settings).output()
    };
    let made = create("durable", &[])?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let node = Rc::new(Node { _server: server, binary: binary.to_owned(), kafka });
    let disk = Disk { binary: binary.to_owned(), dir: dir.clone() };
    all.present.push(Subject {
        name: "the disk: extending `write`, `fdatasync`".to_owned(),
        promise: Promise::Durable,
        producers_max: 1,
        load: Box::new(disk),
    });
    let load = |log| Box::new(Produce { node: Rc::clone(&node), log });
    all.present("Pyralog", Promise::Durable, load("durable"));
    let relaxed = create("relaxed", &["--set", RELAXED])?;
    if relaxed.status.success() {
        all.present("Pyralog", Promise::Relaxed, load("relaxed"));
    } else {
        // Why is for whoever runs this, not for a table.
        eprintln!("{}", String::from_utf8_lossy(&relaxed.stderr).trim_end());
        let why = format!("not there: this build has no `{RELAXED}`");
        all.absent("Pyralog", Promise::Relaxed, why);
    }
    Ok(())
}

impl Load for Produce {
    fn run(&mut self, producers: usize, each: Duration) -> Result<Figure> {
        let bytes = VALUE_BYTES.to_string();
        let mut command = Command::new(&self.node.binary);
        command
            .args(["bench", "produce", "--bootstrap", &self.node.kafka, "--log", self.log])
            .args(["--record-bytes", &bytes, "--batch-bytes", &bytes, "--in-flight", "1"])
            .args(["--connections", &producers.to_string()]);
        bench(command, each, "records_per_second")
    }
}

impl Load for Disk {
    fn run(&mut self, _: usize, each: Duration) -> Result<Figure> {
        let mut command = Command::new(&self.binary);
        let bytes = VALUE_BYTES.to_string();
        command.args(["bench", "disk", "--write-bytes", &bytes, "--dir"]).arg(&self.dir);
        bench(command, each, "operations")
    }
}

/// What one of Pyralog's own benches says; `of` is a rate, or a number of operations.
fn bench(mut command: Command, each: Duration, of: &str) -> Result<Figure> {
    command.args(["--seconds", &each.as_secs().to_string(), "-o", "json"]);
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let number = |value: &Value| value.as_f64().context("the report has another shape");
    let (value, seconds) = (number(&found[of])?, number(&found["seconds"])?);
    Ok(Figure {
        records_per_second: if of == "operations" { value / seconds } else { value },
        p50_ms: number(&found["latency_ms"]["p50"])?,
        p99_ms: number(&found["latency_ms"]["p99"])?,
        seconds,
        generator_cpu: 0.0,
    })
}
