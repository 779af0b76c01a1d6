//! Counters by the thousand, over connections that stay open.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Askers at once.
const CONNECTIONS: usize = 32;

/// Makes exact counters `many-0` to `many-{count - 1}` and takes one value of
/// each; how many values were 1.
pub fn make_and_touch(address: SocketAddr, count: u64) -> Result<u64> {
    let (turn, firsts) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let askers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut connection = Connection::dial(address)?;
                    loop {
                        let number = turn.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Ok(());
                        }
                        // Naming the mode makes it.
                        let path = format!("/v1/counters/many-{number}");
                        let body = json!({ "count": 1, "mode": "exact" }).to_string();
                        if connection.post(&path, &body)?.contains("\"first\":\"1\"") {
                            firsts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        askers.into_iter().try_for_each(|asker| asker.join().expect("no asker panics"))
    })?;
    Ok(firsts.into_inner())
}

struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn dial(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// The body of an answer that is a success.
    fn post(&mut self, path: &str, body: &str) -> Result<String> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: tests\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(bytes) = line.strip_prefix("content-length: ") {
                length = bytes.parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let body = String::from_utf8(body)?;
        ensure!(status.split(' ').nth(1).context("no status")?.starts_with('2'), "{status}{body}");
        Ok(body)
    }
}
