//! A connection as ractor_cluster takes it, with deadlines that it does not
//! have itself: reading fails after a silence, writing when nothing moves, and
//! both at once when the link is closed from outside.

use crate::pulse::{Pulse, Standing};
use ractor_cluster::{BoxRead, BoxWrite, ClusterBidiStream};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// No byte for so long ends the connection. Heartbeats come twice a second.
pub(crate) const IDLE_DEADLINE: Duration = Duration::from_secs(10);
/// A write that makes no progress for so long ends the connection.
pub(crate) const STALL_DEADLINE: Duration = Duration::from_secs(10);

/// The two halves under one label.
pub(crate) struct LinkStream<R, W> {
    label: String,
    reader: Reader<R>,
    writer: Writer<W>,
}

impl<R, W> LinkStream<R, W> {
    pub(crate) fn new(label: String, reader: R, writer: W, pulse: Arc<Pulse>) -> LinkStream<R, W> {
        let reader = Reader { inner: reader, pulse: pulse.clone(), deadline: None };
        LinkStream { label, reader, writer: Writer { inner: writer, pulse, stalled: None } }
    }
}

impl<R, W> ClusterBidiStream for LinkStream<R, W>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        (Box::new(self.reader), Box::new(self.writer))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.label.clone())
    }
}

struct Reader<R> {
    inner: R,
    pulse: Arc<Pulse>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<R> Drop for Reader<R> {
    fn drop(&mut self) {
        // Whoever had the stream has given it up: there is no link any more.
        self.pulse.stand(Standing::Ended);
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Reader<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.pulse.reader_waits(context.waker());
        if this.pulse.closed() {
            return Poll::Ready(Err(closed()));
        }
        if this.pulse.must_wait() {
            // The writer wakes us, or fails at its own deadline.
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.inner).poll_read(context, buffer) {
            this.pulse.bytes_came(buffer.filled().len() - before);
            return Poll::Ready(read);
        }
        ready!(this.poll_deadline(context));
        Poll::Ready(Err(late("nothing was heard from the peer")))
    }
}

impl<R> Reader<R> {
    /// The timer is not moved at each read, only when it fires too early.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let idle = self.pulse.now().since(self.pulse.heard());
            let left = IDLE_DEADLINE.saturating_sub(idle);
            let timer = self.deadline.get_or_insert_with(|| Box::pin(sleep(left)));
            ready!(timer.as_mut().poll(context));
            self.deadline = None;
            if left.is_zero() {
                return Poll::Ready(());
            }
        }
    }
}

struct Writer<W> {
    inner: W,
    pulse: Arc<Pulse>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<W> Writer<W> {
    /// Called after every attempt: a pending one starts the timer, any other
    /// stops it.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        attempt: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if attempt.is_ready() {
            self.stalled = None;
            return attempt;
        }
        self.pulse.writer_is_stuck();
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL_DEADLINE)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(late("the peer takes nothing")))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Writer<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.pulse.closed() {
            return Poll::Ready(Err(closed()));
        }
        let attempt = Pin::new(&mut this.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = attempt {
            this.pulse.bytes_went(count);
        }
        this.watch(context, attempt)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let attempt = Pin::new(&mut this.inner).poll_flush(context);
        this.watch(context, attempt)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let attempt = Pin::new(&mut this.inner).poll_shutdown(context);
        this.watch(context, attempt)
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the link was closed")
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}
