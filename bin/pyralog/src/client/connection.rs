//! Connecting to the first server that answers.

use super::{RequestBody, Server};
use crate::failure::{Failure, Status};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to the first of `servers` that accepts one.
pub async fn first(servers: &[Server]) -> Result<(&Server, SendRequest<RequestBody>), Failure> {
    let mut failures = Vec::new();
    for server in servers {
        match connect(server).await {
            Ok(sender) => return Ok((server, sender)),
            Err(error) => failures.push(format!("{server}: {error}")),
        }
    }
    Err(Failure::new(Status::Retryable, format!("cannot reach a node at {}", failures.join("; ")))
        .help(
            "is it running? `pyralog dev` starts one; --server or PYRALOG_SERVER says where it is",
        ))
}

async fn connect(server: &Server) -> io::Result<SendRequest<RequestBody>> {
    let stream =
        tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(server.authority())).await;
    let stream = stream.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer"))??;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the sender; its error reaches whoever waits for the reply.
    tokio::spawn(connection);
    Ok(sender)
}
