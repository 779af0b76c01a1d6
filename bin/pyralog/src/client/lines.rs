//! A reply that is a stream of lines.

use crate::failure::{Failure, Status};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Lines as they come.
#[derive(Debug)]
pub struct ReplyLines {
    body: Incoming,
    buffer: BytesMut,
    ended: bool,
}

impl ReplyLines {
    pub(super) fn new(body: Incoming) -> ReplyLines {
        ReplyLines { body, buffer: BytesMut::new(), ended: false }
    }

    /// The next line, without its newline; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if let Some(line) = self.ready() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            match self.body.frame().await {
                None => self.ended = true,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => {
                    return Err(Failure::new(
                        Status::Retryable,
                        format!("the stream broke off: {error}"),
                    ));
                }
            }
        }
    }

    /// The next line that is already here.
    pub fn ready(&mut self) -> Option<Bytes> {
        let newline = self.buffer.iter().position(|byte| *byte == b'\n')?;
        let mut line = self.buffer.split_to(newline + 1);
        line.truncate(newline);
        Some(line.freeze())
    }
}
