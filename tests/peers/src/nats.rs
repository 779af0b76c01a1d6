//! NATS JetStream: a stream in files, published to in NATS' own protocol, each record
//! with an inbox that its acknowledgement comes to.
//!
//! 2.9 writes to the page cache and syncs every two minutes; nothing makes it sync
//! before it acknowledges, so it has no durable column.

use crate::load::{Producer, drive, runtime};
use crate::server::{Server, free_address, version};
use crate::subject::{Figure, Load, Promise, Subjects, VALUE_BYTES};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

const SUBJECT: &str = "peers";
/// What the stream keeps; older records go.
const STREAM_BYTES: u64 = 4 << 30;

struct Nats {
    _server: Server,
    address: SocketAddr,
    runtime: Runtime,
}

/// Starts one, and makes its stream.
pub fn start(home: &Path, all: &mut Subjects) -> Result<()> {
    let Some(version) = version("nats-server", "--version") else {
        all.not_installed("NATS JetStream", "nats-server");
        return Ok(());
    };
    let name = format!("NATS JetStream {version}");
    let (dir, address) = (home.join("nats"), free_address()?);
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", &address.port().to_string(), "-js", "-sd"]).arg(&dir);
    let mut server = Server::start(command, &dir)?;
    server.listens(address)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let stream = json!({
            "name": "PEERS", "subjects": [SUBJECT], "storage": "file", "retention": "limits",
            "discard": "old", "max_bytes": STREAM_BYTES, "num_replicas": 1,
        });
        let mut connection = Connection::open(address, 0).await?;
        let body = stream.to_string();
        connection.request("$JS.API.STREAM.CREATE.PEERS", body.as_bytes()).await.map(drop)
    })?;
    all.absent(&name, Promise::Durable, "no fsync per publish in this version");
    all.present(&name, Promise::Relaxed, Box::new(Nats { _server: server, address, runtime }));
    Ok(())
}

impl Load for Nats {
    fn run(&mut self, producers: usize, each: Duration) -> Result<Figure> {
        let address = self.address;
        drive(&self.runtime, producers, each, async |number| {
            Connection::open(address, number).await
        })
    }
}

/// A connection with an inbox of its own.
struct Connection {
    stream: BufReader<TcpStream>,
    inbox: String,
    value: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, number: usize) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let inbox = format!("_INBOX.peers.{number}");
        let value = vec![b'x'; VALUE_BYTES];
        let mut connection = Connection { stream: BufReader::new(stream), inbox, value };
        let info = connection.line().await?;
        ensure!(info.starts_with("INFO "), "not a NATS server: {info}");
        let options = r#"{"verbose":false,"pedantic":false,"lang":"rust","version":"0"}"#;
        let hello = format!("CONNECT {options}\r\nSUB {} 1\r\nPING\r\n", connection.inbox);
        connection.stream.get_mut().write_all(hello.as_bytes()).await?;
        let answer = connection.line().await?;
        ensure!(answer == "PONG", "{answer}");
        Ok(connection)
    }

    /// Publishes `body`, and gives what comes to the inbox.
    async fn request(&mut self, subject: &str, body: &[u8]) -> Result<Value> {
        let mut message = format!("PUB {subject} {} {}\r\n", self.inbox, body.len()).into_bytes();
        message.extend_from_slice(body);
        message.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&message).await?;
        loop {
            let line = self.line().await?;
            let mut words = line.split(' ');
            match words.next() {
                Some("PING") => self.stream.get_mut().write_all(b"PONG\r\n").await?,
                Some("MSG") => {
                    let len: usize =
                        words.next_back().context("a message without length")?.parse()?;
                    let mut bytes = vec![0; len + 2];
                    self.stream.read_exact(&mut bytes).await?;
                    let answer: Value = serde_json::from_slice(&bytes[..len])?;
                    ensure!(answer.get("error").is_none(), "{answer}");
                    return Ok(answer);
                }
                _ => bail!("{line}"),
            }
        }
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line).await? > 0, "the server hung up");
        Ok(line.trim_end().to_owned())
    }
}

impl Producer for Connection {
    async fn send(&mut self) -> Result<()> {
        let value = std::mem::take(&mut self.value);
        let answer = self.request(SUBJECT, &value).await?;
        self.value = value;
        ensure!(answer["seq"].is_u64(), "no acknowledgement: {answer}");
        Ok(())
    }
}
