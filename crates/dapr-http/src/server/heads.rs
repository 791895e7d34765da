//! How long a client may take over the head of a request: as Go's `net/http` counts where only `ReadHeaderTimeout` is set.
//!
//! The first head has to be there so long after the connection, each other so long after its first bytes. Between requests
//! a client may wait for ever. hyper's own limit counts that waiting, too; but hyper takes a clock, which it starts when it
//! begins to wait for a head and drops when the head is there. [`HeadClock`] stands still until something has come.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Timer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// What Go takes for the beginning of a head: the empty line that some clients send after a body is none.
const BEGINNING: usize = 4;

/// The length of HTTP/2's preface. Who has sent so much, or something else, has said what it speaks.
const PREFACE: usize = 24;

/// What clock and stream of one connection know of each other.
struct Connection {
    patience: Duration,
    first_head: Instant,
    /// The bytes that the client has sent.
    received: AtomicUsize,
    /// Whether hyper has begun to wait for heads, which it does not for HTTP/2.
    waits_for_heads: AtomicBool,
}

/// A stream that counts, and that fails when a client does not say what it speaks.
pub(super) struct Counted<S> {
    stream: S,
    connection: Arc<Connection>,
    silence: Option<Pin<Box<Sleep>>>,
}

impl<S> Counted<S> {
    /// A client may take so long over a head.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        let first_head = Instant::now() + patience;
        let (received, waits_for_heads) = (AtomicUsize::new(0), AtomicBool::new(false));
        let connection = Connection { patience, first_head, received, waits_for_heads };
        Self { stream, connection: Arc::new(connection), silence: Some(Box::pin(sleep_until(first_head))) }
    }

    /// What hyper is to measure by.
    pub(super) fn clock(&self) -> HeadClock {
        HeadClock(self.connection.clone())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let had = this.connection.received.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
        if let Some(silence) = &mut this.silence {
            if had >= PREFACE || this.connection.waits_for_heads.load(Ordering::Relaxed) {
                this.silence = None;
            } else if read.is_pending() {
                ready!(silence.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The clock of one connection.
pub(super) struct HeadClock(Arc<Connection>);

impl Timer for HeadClock {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let is_first = !self.0.waits_for_heads.swap(true, Ordering::Relaxed);
        let running = is_first.then(|| Box::pin(sleep_until(self.0.first_head)));
        let before = self.0.received.load(Ordering::Relaxed);
        Box::pin(Head { connection: self.0.clone(), before, running })
    }

    fn sleep_until(&self, _: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep(self.0.patience)
    }
}

/// The wait for one head. hyper looks at it whenever it has read and has no head yet.
struct Head {
    connection: Arc<Connection>,
    /// The bytes that had come before it. What a client has sent of it with the request before counts when more comes.
    before: usize,
    running: Option<Pin<Box<Sleep>>>,
}

impl Future for Head {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.running.is_none() && this.connection.received.load(Ordering::Relaxed) < this.before + BEGINNING {
            return Poll::Pending;
        }
        let patience = this.connection.patience;
        this.running.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(cx)
    }
}

impl hyper::rt::Sleep for Head {}
