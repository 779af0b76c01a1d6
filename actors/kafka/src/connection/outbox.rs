//! Responses on their way to the socket.
//!
//! Small responses that are ready together leave together: a producer with many
//! requests in flight gets its answers in one write instead of one each. Nothing
//! waits for more to come: whoever has to wait flushes first.

use crate::reply::Reply;
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// The most pieces handed to the kernel at once.
const PIECES_MAX: usize = 64;

/// Responses are written once they have this many bytes.
const BYTES_AIM: usize = 64 << 10;

/// Responses that are not written yet, with what they hold until they are.
pub(super) struct Outbox<W, H> {
    to: W,
    patience: Duration,
    pieces: Vec<Bytes>,
    bytes: usize,
    held: Vec<(H, Option<tokio::sync::OwnedSemaphorePermit>)>,
}

impl<W: AsyncWrite + Unpin, H> Outbox<W, H> {
    /// An empty one; a client that takes nothing for `patience` is given up.
    pub(super) fn new(to: W, patience: Duration) -> Outbox<W, H> {
        Outbox { to, patience, pieces: Vec::new(), bytes: 0, held: Vec::new() }
    }

    /// Adds a response, or none, and what its request holds.
    pub(super) async fn put(&mut self, reply: Option<Reply>, held: H) -> io::Result<()> {
        let (pieces, permit) = reply.map_or((Vec::new(), None), |r| (r.pieces, r.permit));
        self.bytes += pieces.iter().map(Bytes::len).sum::<usize>();
        self.pieces.extend(pieces);
        self.held.push((held, permit));
        if self.bytes >= BYTES_AIM { self.flush().await } else { Ok(()) }
    }

    /// Writes everything. An error if the client takes nothing for too long: one
    /// that never reads must not hold memory for ever.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let (mut first, mut done) = (0, 0);
        while first < self.pieces.len() {
            let mut slices = [IoSlice::new(&[]); PIECES_MAX];
            let rest = self.pieces[first..].iter().take(PIECES_MAX);
            let count = rest.len();
            for (at, (slice, piece)) in slices.iter_mut().zip(rest).enumerate() {
                *slice = IoSlice::new(if at == 0 { &piece[done..] } else { piece });
            }
            let writing = self.to.write_vectored(&slices[..count]);
            let written =
                tokio::time::timeout(self.patience, writing).await.map_err(io::Error::from)??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            done += written;
            while first < self.pieces.len() && done >= self.pieces[first].len() {
                done -= self.pieces[first].len();
                first += 1;
            }
        }
        self.pieces.clear();
        self.held.clear();
        self.bytes = 0;
        Ok(())
    }
}
