//! The `pyralog` binary, and its command line run to the end.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Where the binary is: `PYRALOG_BIN`, else beside the running test.
///
/// # Panics
/// When it is not there, saying how to make it.
pub fn path() -> PathBuf {
    if let Some(path) = std::env::var_os("PYRALOG_BIN") {
        return PathBuf::from(path);
    }
    let this = std::env::current_exe().expect("a process knows its executable");
    // target/debug/deps/main-… or target/debug/hostile
    let found = this
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("pyralog"))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "no `pyralog` beside {}: run `cargo build -p pyralog` first, or set PYRALOG_BIN",
            this.display()
        )
    })
}

/// What a finished command left.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit code; -1 after a signal.
    pub code: i32,
    /// Standard output as text.
    pub stdout: String,
    /// Standard error as text.
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Finished {
        Finished {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command of the binary without anything from our own environment in it.
pub fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(path());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PYRALOG_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// Runs the binary to its end.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Finished {
    command(arguments).output().expect("the binary can be run").into()
}
