//! A server of this run: a process of our own, ended when it is dropped.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// A process that serves.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// What it prints.
    pub output: PathBuf,
}

impl Server {
    /// Starts it, with its output in a file of `dir`.
    pub fn start(mut command: Command, dir: &Path) -> Result<Server> {
        std::fs::create_dir_all(dir)?;
        let output = dir.join("output");
        let file = File::create(&output)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Server { child, output })
    }

    /// Asks until there is an answer, for as long as the process lives.
    pub fn wait_for<T>(&mut self, mut ask: impl FnMut(&Server) -> Option<T>) -> Result<T> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(answer) = ask(self) {
                return Ok(answer);
            }
            if self.child.try_wait()?.is_some() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        bail!("the server is not ready: {}", std::fs::read_to_string(&self.output)?);
    }

    /// Waits until somebody listens at this address.
    pub fn listens(&mut self, address: SocketAddr) -> Result<()> {
        self.wait_for(|_| TcpStream::connect(address).ok()).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data is thrown away with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine that nobody listens at.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The first line that a program prints about its version; none if it is not there.
pub fn version(program: &str, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // `redis-server v=7.0.15 …`, `nats-server: v2.9.10`, `etcd Version: 3.4.23`
    let line = text.lines().next()?;
    let word = line.split_whitespace().find(|word| word.contains(|c: char| c.is_ascii_digit()))?;
    Some(word.trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned())
}
