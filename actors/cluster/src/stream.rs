//! A connection as ractor_cluster takes it, with deadlines that it does not
//! have itself: reading fails after a silence, writing when nothing moves, and
//! both at once when the link is closed from outside or the peer sends what no
//! node does.

use crate::frames::Frames;
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

/// How long a connection may stand still.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// No byte for so long ends it. Heartbeats come twice a second.
    pub idle: Duration,
    /// A write that makes no progress for so long ends it.
    pub stall: Duration,
}

impl Deadlines {
    pub(crate) const LINK: Deadlines =
        Deadlines { idle: Duration::from_secs(10), stall: Duration::from_secs(10) };
}

/// The two halves under one label.
pub(crate) struct LinkStream<R, W> {
    label: String,
    reader: Reader<R>,
    writer: Writer<W>,
}

impl<R, W> LinkStream<R, W> {
    pub(crate) fn new(
        label: String,
        reader: R,
        writer: W,
        pulse: Arc<Pulse>,
        frames: Frames,
        deadlines: Deadlines,
    ) -> LinkStream<R, W> {
        let Deadlines { idle, stall } = deadlines;
        let reader = Reader { inner: reader, pulse: pulse.clone(), frames, idle, deadline: None };
        LinkStream { label, reader, writer: Writer { inner: writer, pulse, stall, stalled: None } }
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
    frames: Frames,
    idle: Duration,
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
            let bytes = &buffer.filled()[before..];
            this.pulse.bytes_came(bytes.len());
            return Poll::Ready(read.and_then(|()| this.judge(bytes)));
        }
        ready!(this.poll_deadline(context));
        Poll::Ready(Err(late("nothing was heard from the peer")))
    }
}

impl<R> Reader<R> {
    fn judge(&mut self, bytes: &[u8]) -> io::Result<()> {
        let ended = self.frames.pass(bytes).map_err(|breach| {
            self.pulse.close();
            io::Error::new(io::ErrorKind::InvalidData, breach)
        })?;
        self.pulse.frames_came(ended);
        Ok(())
    }

    /// The timer is not moved at each read, only when it fires too early.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let silence = self.pulse.now().since(self.pulse.heard());
            let left = self.idle.saturating_sub(silence);
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
    stall: Duration,
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
        let stall = self.stall;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::RealClock;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, split};

    const SHORT: Deadlines =
        Deadlines { idle: Duration::from_millis(150), stall: Duration::from_millis(150) };

    fn link() -> (BoxRead, BoxWrite, DuplexStream, Arc<Pulse>) {
        let pulse = Arc::new(Pulse::new(Arc::new(RealClock::new())));
        let (ours, theirs) = tokio::io::duplex(1_024);
        let (reader, writer) = split(ours);
        let frames = Frames::new("peer".to_owned(), false);
        let stream =
            LinkStream::new("link-1".to_owned(), reader, writer, pulse.clone(), frames, SHORT);
        let (reader, writer) = Box::new(stream).split();
        (reader, writer, theirs, pulse)
    }

    #[tokio::test]
    async fn bytes_pass_and_are_counted() {
        let (mut reader, mut writer, mut theirs, pulse) = link();
        theirs.write_all(b"abc").await.unwrap();
        let mut bytes = [0; 3];
        reader.read_exact(&mut bytes).await.unwrap();
        writer.write_all(b"defg").await.unwrap();
        assert_eq!((&bytes, pulse.bytes()), (b"abc", (3, 4)));
    }

    #[tokio::test]
    async fn silence_ends_the_reading_but_not_while_bytes_come() {
        let (mut reader, _writer, mut theirs, pulse) = link();
        let talking = tokio::spawn(async move {
            for _ in 0..6 {
                theirs.write_all(&[1]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            theirs
        });
        let mut bytes = Vec::new();
        let error = reader.read_to_end(&mut bytes).await.unwrap_err();
        assert_eq!((error.kind(), bytes.len()), (io::ErrorKind::TimedOut, 6));
        drop(reader);
        pulse.ended().await;
        drop(talking.await);
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_ends_the_writing() {
        let (_reader, mut writer, _theirs, _) = link();
        let error = writer.write_all(&[0; 4_096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn closing_wakes_the_reader() {
        let (mut reader, mut writer, _theirs, pulse) = link();
        let reading = tokio::spawn(async move { reader.read_u8().await });
        tokio::task::yield_now().await;
        pulse.close();
        assert_eq!(reading.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert!(writer.write_all(&[0]).await.is_err());
        assert_eq!(pulse.standing(), Standing::Ended);
    }
}
