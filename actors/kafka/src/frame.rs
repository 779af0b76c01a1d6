//! Requests off the socket, one at a time, never a byte of memory on credit.
//!
//! ```text
//!   socket ─▶ 8 KiB of our own ─▶ small request: copied out
//!                      └────────▶ large request: a body that grows with what
//!                                 arrives, filled straight from the socket
//! ```
//!
//! A client may claim any length up to the limit. What it is given is room for
//! as much as it has ever sent on this connection: so a producer of large
//! batches gets its buffer in one piece, and one that only claims gets 8 KiB.

use crate::request::CloseReason;
use bytes::{BufMut, Bytes};
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// Memory of a connection that has sent nothing yet.
const BUFFER_BYTES: usize = 8 * 1024;

/// Room that is given for a claim alone.
const TRUST_BYTES: usize = 8 * 1024;

/// The smallest request: key, version, correlation.
const REQUEST_BYTES_MIN: usize = 8;

/// Why no request came.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    /// The client broke the protocol.
    #[error(transparent)]
    Close(#[from] CloseReason),
    /// The connection broke, or ended inside a request.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// A request began and did not end.
    #[error("a request did not arrive in time")]
    Slow,
}

/// A request without its length, and the room it takes of what is shared.
pub(crate) struct Frame {
    pub bytes: Bytes,
    pub permits: Vec<OwnedSemaphorePermit>,
}

/// Cuts a byte stream into requests.
pub(crate) struct Frames<R> {
    from: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes received on this connection.
    received: usize,
    bytes_max: usize,
    transfer_timeout: Duration,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(crate) fn new(from: R, bytes_max: usize, transfer_timeout: Duration) -> Frames<R> {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Frames { from, buffer, start: 0, end: 0, received: 0, bytes_max, transfer_timeout }
    }

    /// Waits for the first byte of a request; false at the end of the stream.
    /// Nothing is lost if this is dropped while it waits.
    pub(crate) async fn ready(&mut self) -> io::Result<bool> {
        if self.start < self.end {
            return Ok(true);
        }
        self.fill().await
    }

    /// Reads the request that has begun. `admit` waits for room for its bytes.
    pub(crate) async fn next<A>(&mut self, admit: A) -> Result<Frame, FrameError>
    where
        A: AsyncFnOnce(usize) -> Vec<OwnedSemaphorePermit>,
    {
        let deadline = Instant::now() + self.transfer_timeout;
        while self.end - self.start < 4 {
            let more = timeout_at(deadline, self.fill()).await.map_err(|_| FrameError::Slow)??;
            if !more {
                return Err(cut_short().into());
            }
        }
        let head = self.buffer[self.start..self.start + 4].try_into().expect("four bytes are four");
        let claimed = i32::from_be_bytes(head);
        let length = usize::try_from(claimed).ok();
        let length = length.filter(|length| (REQUEST_BYTES_MIN..=self.bytes_max).contains(length));
        let length =
            length.ok_or(CloseReason::FrameLength { claimed, bytes_max: self.bytes_max })?;
        self.start += 4;
        let permits = admit(length).await;
        // Waiting for room was not the client's fault.
        let deadline = Instant::now() + self.transfer_timeout;
        let body =
            timeout_at(deadline, self.body(length)).await.map_err(|_| FrameError::Slow)??;
        Ok(Frame { bytes: body, permits })
    }

    async fn body(&mut self, length: usize) -> io::Result<Bytes> {
        let buffered = (self.end - self.start).min(length);
        let here = &self.buffer[self.start..self.start + buffered];
        self.start += buffered;
        if buffered == length {
            return Ok(Bytes::copy_from_slice(here));
        }
        let mut body = Vec::with_capacity(length.min(TRUST_BYTES.max(self.received)));
        body.extend_from_slice(here);
        while body.len() < length {
            if body.len() == body.capacity() {
                // Old and new buffer together stay within three times the bytes
                // that came, and the last one is exact.
                body.reserve_exact(body.len().min(length - body.len()));
            }
            let room = body.capacity().min(length) - body.len();
            let read = self.from.read_buf(&mut (&mut body).limit(room)).await?;
            if read == 0 {
                return Err(cut_short());
            }
            self.received += read;
        }
        Ok(Bytes::from(body))
    }

    /// Reads what there is into the buffer; false at the end of the stream.
    async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let read = self.from.read(&mut self.buffer[self.end..]).await?;
        self.end += read;
        self.received += read;
        Ok(read > 0)
    }
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ended inside a request")
}

#[cfg(test)]
mod tests;
