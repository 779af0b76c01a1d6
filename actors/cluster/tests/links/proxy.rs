//! A wire between two nodes that does not carry everything as it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of the preamble from the dialler.
pub const PREAMBLE_BYTES: u64 = 112;

/// Where on the wire from the dialler a byte is changed, and how; 0 for never.
#[derive(Default)]
pub struct Damage {
    pub position: AtomicU64,
    pub mask: AtomicU64,
    /// Connections that were carried.
    pub connections: AtomicU64,
    /// The longest that a dialler sent over one of them.
    pub carried: AtomicU64,
}

/// Starts a proxy to `target`; returns its address.
pub async fn proxy(target: String, damage: Arc<Damage>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (from, _) = listener.accept().await.unwrap();
            damage.connections.fetch_add(1, Ordering::SeqCst);
            let Ok(to) = TcpStream::connect(&target).await else { continue };
            from.set_nodelay(true).unwrap();
            to.set_nodelay(true).unwrap();
            let ((from_read, from_write), (to_read, to_write)) =
                (from.into_split(), to.into_split());
            tokio::spawn(carry(from_read, to_write, damage.clone()));
            tokio::spawn(carry(to_read, from_write, Arc::default()));
        }
    });
    address
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, damage: Arc<Damage>) {
    let mut buffer = vec![0; 64 << 10];
    let mut carried = 0;
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let position = damage.position.load(Ordering::SeqCst);
        if position >= carried && position < carried + count as u64 && position != 0 {
            buffer[(position - carried) as usize] ^= damage.mask.load(Ordering::SeqCst) as u8;
        }
        carried += count as u64;
        damage.carried.fetch_max(carried, Ordering::SeqCst);
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
