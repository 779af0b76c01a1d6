//! Running the binary: commands that end, and nodes that serve.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// More than any step takes on a machine that is busy with other builds.
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// A command with nothing of this test's own environment in its way.
pub fn pyralog(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pyralog"));
    command
        .args(arguments)
        .env_remove("PYRALOG_SERVER")
        .env_remove("PYRALOG_CONFIG")
        .env_remove("PYRALOG_LOG");
    command
}

/// Runs a command to its end.
pub fn run(arguments: &[&str]) -> Output {
    pyralog(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs a command that must succeed; what it printed.
#[track_caller]
pub fn good(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(
        output.status.success(),
        "{arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail with `code` and an error that has each of
/// `parts`.
#[track_caller]
pub fn bad(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    for part in parts {
        assert!(error.contains(part), "{part:?} is missing from: {error}");
    }
}

/// A node in a process of its own; killed when dropped.
pub struct Node {
    child: Child,
    /// Holds what the node prints, and is its system temporary directory.
    pub home: TempDir,
    pub http: String,
    pub kafka: String,
}

impl Node {
    /// `pyralog dev --random-ports` with more flags; returns when it is ready.
    pub fn dev(more: &[&str]) -> Node {
        Node::start(pyralog(&[&["dev", "--random-ports"], more].concat()))
    }

    /// As `dev`, for a process whose files may have at most `blocks` × 512
    /// bytes: a write past that fails.
    pub fn dev_with_small_files(blocks: u32, more: &[&str]) -> Node {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let binary = env!("CARGO_BIN_EXE_pyralog");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, binary, "dev", "--random-ports"]).args(more);
        Node::start(shell)
    }

    /// Starts a node; returns when it is ready.
    pub fn start(mut command: Command) -> Node {
        let home = tempfile::tempdir().unwrap();
        let out = File::create(home.path().join("stdout")).unwrap();
        let errors = File::create(home.path().join("stderr")).unwrap();
        let child = command.env("TMPDIR", home.path()).stdout(out).stderr(errors).spawn().unwrap();
        let mut node = Node { child, home, http: String::new(), kafka: String::new() };
        poll("the node to be ready", || {
            assert_eq!(node.child.try_wait().unwrap(), None, "the node ended: {}", node.errors());
            node.printed().lines().any(|line| line == "ready").then_some(())
        });
        node.http = node.address("HTTP");
        node.kafka = node.address("Kafka");
        node
    }

    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.home.path().join("stdout")).unwrap()
    }

    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.home.path().join("stderr")).unwrap()
    }

    fn address(&self, name: &str) -> String {
        let printed = self.printed();
        // A node without that door does not name it.
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    }

    /// Arguments for a command that asks this node.
    pub fn asked<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        [arguments, &["--server", &self.http]].concat()
    }

    /// A command to this node that must succeed.
    #[track_caller]
    pub fn good(&self, arguments: &[&str]) -> String {
        good(&self.asked(arguments))
    }

    /// A command to this node that must fail.
    #[track_caller]
    pub fn bad(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        bad(&self.asked(arguments), code, parts);
    }

    /// A command to this node that is fed `input` and must succeed.
    #[track_caller]
    pub fn fed(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = pyralog(&self.asked(arguments));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        poll("the node to end", || self.child.try_wait().unwrap())
    }

    /// Stops it in order.
    pub fn stop(mut self) {
        self.signal("INT");
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.errors());
    }

    /// Data directories that `dev` made for itself.
    pub fn temporary_directories(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.home.path()).unwrap().flatten();
        entries.map(|entry| entry.path()).filter(|path| is_ours(path)).collect()
    }
}

fn is_ours(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with("pyralog-dev-")
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer.
#[allow(clippy::disallowed_methods)] // a process of its own sends no messages to await
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "waited for {what} in vain");
        std::thread::sleep(POLL);
    }
}
