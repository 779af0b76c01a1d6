//! `POST /v1/sql`, line by line: nothing is gathered, so that the first row can be
//! timed and the last of millions needs no memory.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the next line may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest head, and the longest line that says how long a chunk is.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// In SQL.
    pub query: &'a str,
    /// How long the node may work on it; its own limit if absent.
    pub time_max: Option<Duration>,
}

impl<'a> From<&'a str> for Question<'a> {
    fn from(query: &'a str) -> Question<'a> {
        Question { query, time_max: None }
    }
}

/// An answer as it comes in.
pub struct Lines {
    /// HTTP's status.
    pub status: u16,
    body: BufReader<Body>,
    line: String,
}

impl Lines {
    /// Asks and reads the head of the answer.
    pub fn ask(address: SocketAddr, question: Question) -> Result<Lines> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut body = json!({ "query": question.query });
        if let Some(time_max) = question.time_max {
            body["time_max_ms"] = json!(u64::try_from(time_max.as_millis())?);
        }
        let body = body.to_string();
        let head = format!(
            "POST /v1/sql HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        let mut stream = BufReader::with_capacity(1 << 18, stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = stream.by_ref().take(HEAD_BYTES_MAX as u64).read_line(&mut head)?;
            ensure!(read > 0 && head.len() <= HEAD_BYTES_MAX, "no end of the head: {head:?}");
        }
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let left = if chunked { Some(0) } else { None };
        let body = Body { stream, left, ended: false };
        Ok(Lines { status, body: BufReader::with_capacity(1 << 18, body), line: String::new() })
    }

    /// The next line; `None` at the end of the body.
    pub fn next_line(&mut self) -> Result<Option<&str>> {
        self.line.clear();
        let read = self.body.read_line(&mut self.line).context("the answer broke off")?;
        Ok((read > 0).then_some(self.line.trim_end()))
    }

    /// The next line as a document.
    pub fn next_document(&mut self) -> Result<Option<Value>> {
        let Some(line) = self.next_line()? else { return Ok(None) };
        let short = || line.chars().take(200).collect::<String>();
        serde_json::from_str(line).map(Some).with_context(|| format!("not JSON: {}", short()))
    }
}

/// A body, its chunks joined.
struct Body {
    stream: BufReader<TcpStream>,
    /// Bytes left of this chunk; `None` for a body that ends with the connection.
    left: Option<usize>,
    ended: bool,
}

impl Body {
    fn next_chunk(&mut self) -> std::io::Result<usize> {
        let mut line = String::new();
        // The end of the chunk before leaves an empty line.
        while line.trim().is_empty() {
            line.clear();
            if self.stream.by_ref().take(HEAD_BYTES_MAX as u64).read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let length = line.trim().split(';').next().unwrap_or_default();
        usize::from_str_radix(length, 16).map_err(|_| std::io::ErrorKind::InvalidData.into())
    }
}

impl Read for Body {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let Some(left) = self.left else { return self.stream.read(room) };
        let left = if left == 0 && !self.ended { self.next_chunk()? } else { left };
        self.ended = left == 0;
        let wanted = room.len().min(left);
        let read = if wanted == 0 { 0 } else { self.stream.read(&mut room[..wanted])? };
        if wanted > 0 && read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left = Some(left - read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    /// What a server that says `bytes` is understood to have said.
    fn heard(bytes: &'static str) -> Result<(u16, Vec<String>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let server = thread::spawn(move || -> Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut request = [0; 4096];
            ensure!(stream.read(&mut request)? > 0);
            Ok(stream.write_all(bytes.as_bytes())?)
        });
        let mut lines = Lines::ask(address, "SELECT 1".into())?;
        let mut all = Vec::new();
        while let Some(line) = lines.next_line()? {
            all.push(line.to_owned());
        }
        server.join().expect("the server does not panic")?;
        Ok((lines.status, all))
    }

    #[test]
    fn chunks_are_joined_wherever_they_are_cut() {
        let said = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3\r\n{\"a\r\n6\r\n\":1}\n{\r\n2\r\n}\n\r\n0\r\n\r\n";
        assert_eq!(heard(said).unwrap(), (200, vec!["{\"a\":1}".into(), "{}".into()]));
    }

    #[test]
    fn an_answer_that_breaks_off_is_no_answer() {
        let said = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{}\n";
        assert!(heard(said).is_err());
    }

    #[test]
    fn a_body_may_end_with_its_connection() {
        let said = "HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\n\r\n{}\n";
        assert_eq!(heard(said).unwrap(), (400, vec!["{}".into()]));
    }
}
