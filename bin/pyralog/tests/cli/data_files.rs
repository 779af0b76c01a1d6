//! A data directory that a real node has written, its files, and how to spoil them.

use crate::http::metric;
use crate::process::{Node, good, poll, pyralog};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Small, so that a test may copy and hash it.
const SETTINGS: [(&str, &str); 2] =
    [("PYRALOG_OBELISK_COUNTER_FILE_SIZE", "16MB"), ("PYRALOG_PYRAMID_SEGMENT_SIZE", "65536")];

/// A data directory and the directory of its one partition with records.
pub struct DataDirectory {
    _home: TempDir,
    pub path: PathBuf,
    pub partition: PathBuf,
}

/// A node on `path` with small files and these settings besides.
pub fn node(path: &Path, more: &[(&str, &str)]) -> Node {
    let mut command = pyralog(&["dev", "--random-ports", "--data-dir", path.to_str().unwrap()]);
    command.envs(SETTINGS).envs(more.iter().copied());
    Node::start(command)
}

/// Fills a log with four segments and more, and makes a counter.
pub fn fill(node: &Node, path: &Path) -> PathBuf {
    node.good(&["log", "create", "filled"]);
    node.good(&["counter", "create", "invoices"]);
    node.good(&["counter", "next", "invoices", "--count", "5"]);
    // Each a batch of its own.
    for round in 0..16 {
        let line = format!("{round}:{}\n", "0123456789abcdef".repeat(64));
        node.fed(&["produce", "filled", "--key-separator", ":"], line.repeat(16).as_bytes());
    }
    let log: Value =
        serde_json::from_str(&node.good(&["log", "describe", "filled", "-o", "json"])).unwrap();
    let number = log["number"].as_u64().unwrap();
    path.join("pyramid/logs").join(number.to_string()).join("0")
}

impl DataDirectory {
    /// Of a node that was stopped in order.
    pub fn stopped() -> DataDirectory {
        DataDirectory::ended(Node::stop)
    }

    /// Of a node that was killed with records in the write-ahead log.
    pub fn killed() -> DataDirectory {
        DataDirectory::ended(drop)
    }

    /// Of a node that has compacted what an earlier one had sealed, and was stopped.
    pub fn compacted() -> DataDirectory {
        let data = DataDirectory::stopped();
        let node = node(&data.path, &[]);
        node.good(&["log", "alter", "filled", "--set", "cleanup.policy=compact"]);
        poll("a compaction", || (metric(&node, "pyralog_compactions_total") > 0).then_some(()));
        node.stop();
        data
    }

    fn ended(end: impl FnOnce(Node)) -> DataDirectory {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data");
        let node = node(&path, &[]);
        let partition = fill(&node, &path);
        end(node);
        DataDirectory { _home: home, path, partition }
    }

    pub fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The n-th file of the partition whose name ends so.
    pub fn of_partition(&self, ending: &str, index: usize) -> PathBuf {
        let entries = std::fs::read_dir(&self.partition).unwrap().flatten();
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .collect();
        found.sort();
        found[index].clone()
    }

    /// The first segment that compaction wrote.
    pub fn rewritten(&self) -> PathBuf {
        self.of_partition(".1.segment", 0)
    }

    /// The findings of `verify` that are worse than a note, and its exit code.
    pub fn verified(&self) -> (Vec<Value>, i32) {
        let output = crate::process::run(&["verify", self.text(), "-o", "json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr))
        });
        let found = document["findings"].as_array().unwrap().iter();
        let worse = found.filter(|finding| finding["severity"] != "note").cloned().collect();
        (worse, output.status.code().unwrap())
    }
}

/// Turns one bit of a file over, in place; twice is as before.
pub fn flip(path: &Path, position: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, position).unwrap();
    file.write_all_at(&[byte[0] ^ 4], position).unwrap();
}

/// Where `part` lies in a file.
pub fn position_of(path: &Path, part: &[u8]) -> u64 {
    let bytes = std::fs::read(path).unwrap();
    bytes.windows(part.len()).position(|window| window == part).unwrap() as u64
}

/// Every file below `dir`: its bytes, its length and when it was last changed.
pub fn fingerprint(dir: &Path) -> BTreeMap<PathBuf, (u64, u64, i64, i64)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        if metadata.is_dir() {
            all.extend(fingerprint(&path));
            all.insert(path, (0, 0, changed.0, changed.1));
        } else {
            let mut hasher = DefaultHasher::new();
            hasher.write(&std::fs::read(&path).unwrap());
            all.insert(path, (hasher.finish(), metadata.len(), changed.0, changed.1));
        }
    }
    all
}

/// A file of the committed fixtures of a storage crate.
pub fn fixture(crate_name: &str, name: &str) -> PathBuf {
    let storage = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../storage");
    storage.join(crate_name).join("fixtures").join(name)
}

/// What a command that must succeed prints as JSON.
#[track_caller]
pub fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&good(arguments)).unwrap()
}
