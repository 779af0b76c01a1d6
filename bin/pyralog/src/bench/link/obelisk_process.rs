//! An Obelisk in a process of its own, for as long as the bench takes.

use crate::failure::{Failure, Status};
use pyralog_cluster::Cookie;
use pyralog_env::{Disk, RealDisk, RealEntropy};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Its process and its directory; both are gone with this value.
pub struct ObeliskProcess {
    child: Child,
    dir: PathBuf,
    address: String,
}

impl ObeliskProcess {
    /// Starts it with a new data directory below `dir`; returns when it serves.
    pub async fn start(dir: &Path) -> Result<ObeliskProcess, Failure> {
        let dir = dir.to_owned();
        let started = tokio::task::spawn_blocking(move || start(dir)).await;
        started.map_err(Failure::failed)?
    }

    /// Where it answers.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The secret it shares with this process.
    pub fn cookie(&self) -> Result<Cookie, Failure> {
        cookie(&self.dir)
    }
}

impl Drop for ObeliskProcess {
    fn drop(&mut self) {
        // It keeps nothing that anybody wants.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = RealDisk.remove_dir_all(&self.dir);
    }
}

fn start(dir: PathBuf) -> Result<ObeliskProcess, Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!("cannot start an Obelisk in {}: {error}", dir.display()))
    };
    RealDisk.create_dir_all(&dir).map_err(failed)?;
    let made = cookie(&dir).map(drop);
    let address = free_address().map_err(failed)?;
    let http = free_address().map_err(failed)?;
    let child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(["--role", "obelisk", "--listen-addr", &address, "--http-addr", &http])
        .arg("--data-dir")
        .arg(dir.join("data"))
        .arg("--cookie-file")
        .arg(dir.join("cookie"))
        .env_remove("PYRALOG_CONFIG")
        // What goes wrong is worth a line among the figures, and nothing else.
        .env("PYRALOG_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // From here on whatever fails ends the process and removes its files.
    let mut obelisk = ObeliskProcess { child, dir, address };
    made?;
    let out = obelisk.child.stdout.take().expect("its output was asked for");
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    if lines.any(|line| line == "ready") {
        return Ok(obelisk);
    }
    Err(Failure::new(Status::Failed, "the Obelisk ended before it was ready")
        .help("what it said is above"))
}

fn cookie(dir: &Path) -> Result<Cookie, Failure> {
    Cookie::read_or_create(&dir.join("cookie"), &RealEntropy).map_err(Failure::failed)
}

/// A port that is free now. Somebody may take it before the Obelisk does, and
/// then it says so.
fn free_address() -> std::io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
