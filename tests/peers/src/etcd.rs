//! etcd: puts over gRPC, as its clients send them. It syncs before it acknowledges and
//! cannot be told not to, so it has no relaxed column.
//!
//! The two messages are written by hand: a `PutRequest` has a key (field 1) and a value
//! (field 2), and of the answer its status counts.

use crate::load::{Producer, drive, runtime};
use crate::server::{Server, free_address, version};
use crate::subject::{Figure, Load, Promise, Subjects, VALUE_BYTES};
use anyhow::{Context, Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request, StatusCode, Version};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

/// Keys of a producer.
const KEYS: usize = 1_000;

struct Etcd {
    _server: Server,
    address: SocketAddr,
    runtime: Runtime,
}

/// Starts one.
pub fn start(home: &Path, all: &mut Subjects) -> Result<()> {
    let Some(version) = version("etcd", "--version") else {
        all.not_installed("etcd", "etcd-server");
        return Ok(());
    };
    let name = format!("etcd {version}");
    let dir = home.join("etcd");
    let (address, peers) = (free_address()?, format!("http://{}", free_address()?));
    let clients = format!("http://{address}");
    let mut command = Command::new("etcd");
    command
        .args(["--name", "peers", "--log-level", "error", "--quota-backend-bytes", "8589934592"])
        .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
        .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
        .args(["--initial-cluster", &format!("peers={peers}"), "--data-dir"])
        .arg(dir.join("data"));
    let mut server = Server::start(command, &dir)?;
    server.listens(address)?;
    let runtime = runtime()?;
    // It listens before it has elected itself.
    server.wait_for(|_| {
        let first = async { Connection::open(address, 0).await?.send().await };
        runtime.block_on(LocalSet::new().run_until(first)).ok()
    })?;
    all.present(&name, Promise::Durable, Box::new(Etcd { _server: server, address, runtime }));
    all.absent(&name, Promise::Relaxed, "it always syncs");
    Ok(())
}

impl Load for Etcd {
    fn run(&mut self, producers: usize, each: Duration) -> Result<Figure> {
        let address = self.address;
        drive(&self.runtime, producers, each, async |number| {
            Connection::open(address, number).await
        })
    }
}

/// A connection with keys of its own.
struct Connection {
    client: SendRequest<Bytes>,
    number: usize,
    sent: usize,
    value: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, number: usize) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (client, connection) = h2::client::handshake(stream).await?;
        // It ends with the client.
        tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Connection { client, number, sent: 0, value: vec![b'x'; VALUE_BYTES] })
    }

    /// A message with its prefix: not compressed, so many bytes.
    fn put(&mut self) -> Bytes {
        let key = format!("peers/{:02}/{:04}", self.number, self.sent % KEYS);
        self.sent += 1;
        let mut message = BytesMut::with_capacity(VALUE_BYTES + 64);
        field(1, key.as_bytes(), &mut message);
        field(2, &self.value, &mut message);
        let mut framed = BytesMut::with_capacity(message.len() + 5);
        framed.put_u8(0);
        framed.put_u32(message.len() as u32);
        framed.extend_from_slice(&message);
        framed.freeze()
    }
}

/// A field of bytes: its number and kind, a length of seven bits a byte, the bytes.
fn field(number: u8, bytes: &[u8], message: &mut BytesMut) {
    message.put_u8(number << 3 | 2);
    let mut len = bytes.len();
    while len >= 0x80 {
        message.put_u8(len as u8 | 0x80);
        len >>= 7;
    }
    message.put_u8(len as u8);
    message.extend_from_slice(bytes);
}

impl Producer for Connection {
    async fn send(&mut self) -> Result<()> {
        let message = self.put();
        let request = Request::post("http://etcd/etcdserverpb.KV/Put")
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())?;
        let mut client = self.client.clone().ready().await?;
        let (response, mut stream) = client.send_request(request, false)?;
        stream.send_data(message, true)?;
        let response = response.await?;
        ensure!(response.status() == StatusCode::OK, "{response:?}");
        let (head, mut body) = response.into_parts();
        let mut answered = 0;
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            answered += chunk.len();
            body.flow_control().release_capacity(chunk.len())?;
        }
        // An error without an answer has its status in front.
        let trailers = body.trailers().await?.unwrap_or(head.headers);
        let status = |headers: &HeaderMap| headers.get("grpc-status").cloned();
        let status = status(&trailers).context("an answer without a status")?;
        ensure!(status == "0" && answered > 0, "a put was refused: {trailers:?}");
        Ok(())
    }
}
