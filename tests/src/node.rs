//! A real `pyralog` process: started, watched, killed, started again.
//!
//! Its output goes to files, so that no pipe can fill up and the end of the log
//! can be shown when a test fails.

use crate::{binary, http, ports, wait};
use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// How long a node may take to serve on a busy machine.
pub const READY_PATIENCE: Duration = Duration::from_secs(60);
/// How long the process may take to be gone.
pub const END_PATIENCE: Duration = Duration::from_secs(30);
/// Lines of the log shown after a failure.
const TAIL_LINES: usize = 40;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `pyralog dev`: both tiers in one process.
    Dev,
    /// `pyralog --role obelisk`.
    Obelisk,
    /// `pyralog --role pyramid`.
    Pyramid,
}

/// How to start a node. The same plan starts it again after its death.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it does.
    pub role: Role,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where its output goes.
    pub output_dir: PathBuf,
    /// Kafka's port.
    pub kafka_port: u16,
    /// HTTP's port.
    pub http_port: u16,
    /// The port where other nodes connect.
    pub link_port: u16,
    /// More arguments.
    pub arguments: Vec<String>,
    /// Its environment beyond what everybody has.
    pub environment: Vec<(String, String)>,
}

impl Plan {
    /// A node with its data in `data_dir` and its output in `output_dir`, on
    /// ports that stay the same over restarts.
    pub fn new(data_dir: &Path, output_dir: &Path) -> Plan {
        Plan {
            role: Role::Dev,
            data_dir: data_dir.to_owned(),
            output_dir: output_dir.to_owned(),
            kafka_port: ports::free(),
            http_port: ports::free(),
            link_port: ports::free(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// An Obelisk in a process of its own, below `folder`. Nodes of one folder
    /// share a cookie.
    pub fn obelisk(folder: &Path) -> Plan {
        let plan = Plan::new(&folder.join("obelisk-data"), &folder.join("obelisk-output"));
        Plan { role: Role::Obelisk, ..plan }
            .argument("--node-id=obelisk-1")
            .argument(format!("--cookie-file={}", folder.join("cookie").display()))
    }

    /// A Pyramid in a process of its own, which asks the Obelisks at these ports.
    pub fn pyramid(folder: &Path, name: &str, obelisks: &[u16]) -> Plan {
        let data = folder.join(format!("{name}-data"));
        let plan = Plan::new(&data, &folder.join(format!("{name}-output")));
        let endpoints: Vec<String> =
            obelisks.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        Plan { role: Role::Pyramid, ..plan }
            .argument(format!("--node-id={name}"))
            .argument(format!("--cookie-file={}", folder.join("cookie").display()))
            .argument(format!("--pharaoh-endpoints={}", endpoints.join(",")))
    }

    /// `pyralog dev` with these arguments alone.
    pub fn bare(output_dir: &Path, arguments: &[&str]) -> Plan {
        Plan {
            role: Role::Dev,
            data_dir: PathBuf::new(),
            output_dir: output_dir.to_owned(),
            kafka_port: 0,
            http_port: 0,
            link_port: 0,
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: Vec::new(),
        }
    }

    /// With one more argument.
    pub fn argument(mut self, argument: impl Into<String>) -> Plan {
        self.arguments.push(argument.into());
        self
    }

    /// Where Kafka is served.
    pub fn kafka(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.kafka_port).into()
    }

    /// Where HTTP is served.
    pub fn http(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.http_port).into()
    }

    /// Where other nodes connect.
    pub fn link(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.link_port).into()
    }

    /// `--server` and its value, for a command of the CLI.
    pub fn server(&self) -> [String; 2] {
        ["--server".to_owned(), format!("http://{}", self.http())]
    }

    /// Starts the process; it need not be ready yet.
    pub fn spawn(&self) -> Result<Node> {
        fs::create_dir_all(&self.output_dir)?;
        let (stdout, stderr) = (self.output_dir.join("stdout"), self.output_dir.join("stderr"));
        let mut command = match self.role {
            Role::Dev => binary::command(["dev"]),
            Role::Obelisk => binary::command(["--role", "obelisk"]),
            Role::Pyramid => binary::command(["--role", "pyramid"]),
        };
        if self.kafka_port != 0 {
            // An Obelisk listens to nodes alone.
            let (listen, link) = match self.role {
                Role::Obelisk => (self.link(), None),
                Role::Dev | Role::Pyramid => (self.kafka(), Some(self.link())),
            };
            command.arg("--data-dir").arg(&self.data_dir);
            command.args(["--listen-addr".to_owned(), listen.to_string()]);
            command.args(["--http-addr".to_owned(), self.http().to_string()]);
            command.args(link.map(|link| format!("--link-addr={link}")));
        }
        command.args(&self.arguments).envs(self.environment.iter().cloned());
        command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        let child = command.spawn().context("cannot start pyralog")?;
        Ok(Node { plan: self.clone(), child, stdout, stderr })
    }

    /// Starts it and waits until it serves.
    ///
    /// # Errors
    /// When it does not, with the end of its log.
    pub fn start(&self) -> Result<Node> {
        let mut node = self.spawn()?;
        node.wait_ready(READY_PATIENCE)?;
        Ok(node)
    }
}

/// A process. Dropping it kills it.
#[derive(Debug)]
pub struct Node {
    /// How it was started.
    pub plan: Plan,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Node {
    /// True once the line `ready` is out.
    pub fn is_ready(&self) -> bool {
        self.stdout().lines().any(|line| line == "ready")
    }

    /// Waits for the line `ready`.
    pub fn wait_ready(&mut self, patience: Duration) -> Result<()> {
        let outcome = wait::until(patience, || match self.child.try_wait() {
            Ok(Some(status)) => Some(Err(status)),
            _ => self.is_ready().then_some(Ok(())),
        });
        match outcome {
            Some(Ok(())) => Ok(()),
            Some(Err(status)) => {
                bail!("pyralog ended before it was ready ({status})\n{}", self.tail())
            }
            None => bail!("pyralog was not ready after {patience:?}\n{}", self.tail()),
        }
    }

    /// SIGKILL, and waits until nothing of the process is left.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Any signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process id")?;
        Ok(kill_process(id, signal)?)
    }

    /// Waits for the end of the process.
    pub fn wait_end(&mut self, patience: Duration) -> Result<ExitStatus> {
        let ended = wait::until(patience, || self.child.try_wait().transpose());
        ended
            .ok_or_else(|| anyhow!("pyralog has not ended after {patience:?}\n{}", self.tail()))?
            .map_err(Into::into)
    }

    /// SIGTERM, and an end in order.
    pub fn stop(mut self) -> Result<()> {
        self.terminate()?;
        let status = self.wait_end(END_PATIENCE)?;
        if !status.success() {
            bail!("pyralog ended with {status}\n{}", self.tail());
        }
        Ok(())
    }

    /// True while the process lives.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it has logged.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// The last lines of output and log.
    pub fn tail(&self) -> String {
        format!(
            "--- stdout\n{}\n--- stderr\n{}",
            last_lines(&self.stdout()),
            last_lines(&self.stderr())
        )
    }

    /// The status of `/readyz`, if HTTP answers.
    pub fn readyz(&self) -> Option<u16> {
        http::get(self.plan.http(), "/readyz").ok().map(|response| response.status)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.tail());
        }
    }
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
