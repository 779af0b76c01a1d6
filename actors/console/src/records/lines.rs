//! Cutting a request's body into lines, of bounded length.

use crate::reply::Refusal;
use axum::body::BodyDataStream;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use pyralog_model::ErrorCode;
use std::time::Duration;

/// What the next wait brought.
pub enum Next {
    /// A line, without its newline.
    Line(Bytes),
    /// Nothing within the time given; ask again.
    Quiet,
    /// The body has ended.
    End,
}

/// The lines of a body.
pub struct Lines {
    body: BodyDataStream,
    buffer: BytesMut,
    /// Bytes of `buffer` known to hold no newline, so that a long line that
    /// arrives in small pieces is not searched again with each.
    searched: usize,
    line_bytes_max: usize,
    ended: bool,
}

impl Lines {
    pub fn new(body: BodyDataStream, line_bytes_max: usize) -> Lines {
        Lines { body, buffer: BytesMut::new(), searched: 0, line_bytes_max, ended: false }
    }

    /// The next line, waiting for at most `patience` for more of the body.
    pub async fn next(&mut self, patience: Duration) -> Result<Next, Refusal> {
        loop {
            if let Some(line) = self.ready() {
                return Ok(Next::Line(line));
            }
            if self.ended {
                let rest = self.buffer.split().freeze();
                self.searched = 0;
                return Ok(if rest.is_empty() { Next::End } else { Next::Line(rest) });
            }
            if self.buffer.len() > self.line_bytes_max {
                let message =
                    format!("longer than {} bytes; send a smaller record", self.line_bytes_max);
                return Err(Refusal::new(ErrorCode::RecordTooLarge, message));
            }
            match tokio::time::timeout(patience, self.body.next()).await {
                Err(_) => return Ok(Next::Quiet),
                Ok(None) => self.ended = true,
                Ok(Some(Ok(chunk))) => self.buffer.extend_from_slice(&chunk),
                Ok(Some(Err(_))) => {
                    return Err(Refusal::invalid("the body broke off before its end"));
                }
            }
        }
    }

    /// Throws away what still comes, for at most `time`; true if the body has
    /// ended.
    pub async fn discard(&mut self, time: Duration) -> bool {
        let body = &mut self.body;
        let all = async { while let Some(Ok(_)) = body.next().await {} };
        self.ended = self.ended || tokio::time::timeout(time, all).await.is_ok();
        self.ended
    }

    /// The next line, if all of it is here.
    pub fn ready(&mut self) -> Option<Bytes> {
        let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(newline) = found.map(|at| at + self.searched) else {
            self.searched = self.buffer.len();
            return None;
        };
        self.searched = 0;
        let mut line = self.buffer.split_to(newline + 1);
        line.truncate(newline);
        Some(line.freeze())
    }
}
