//! One attempt: the name, the connection, the preamble.

use crate::attending::Attendance;
use crate::handshake::{self, ShakeError};
use crate::links::Shared;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// For one address to take the connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Dials `endpoint`. The name is looked up anew: the node may have moved.
pub(super) async fn attempt(
    shared: &Arc<Shared>,
    endpoint: &str,
) -> Result<(Attendance, TcpStream), ShakeError> {
    let (mut stream, address) = connect(endpoint).await?;
    let link = handshake::dial(shared, &mut stream, address).await?;
    Ok((link, stream))
}

async fn connect(endpoint: &str) -> io::Result<(TcpStream, SocketAddr)> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let found = timeout(CONNECT_PATIENCE, lookup_host(endpoint)).await.map_err(|_| late())??;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in found.take(ADDRESSES_MAX) {
        match timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok((stream, address));
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = late(),
        }
    }
    Err(last)
}
