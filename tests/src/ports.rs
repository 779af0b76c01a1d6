//! Ports for nodes that are restarted and must be found again.
//!
//! They lie below the range from which the system takes the near ends of
//! outgoing connections: there, while a node is dead, one of its own clients
//! could be given the node's port and even connect to itself.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

static TURN: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on, not given out before by this process.
pub fn free() -> u16 {
    // Processes that run at the same time begin at different places.
    let start = (std::process::id() % 180) as u16 * 100;
    loop {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + turn) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
