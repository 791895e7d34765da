//! Header timeouts, counted as Go's `net/http` does with only `ReadHeaderTimeout` set.
//!
//! The first header has to be complete within the timeout from the start of the connection, each later one from its
//! first bytes on. Between requests a client may wait for ever. hyper's own timeout includes that wait; but hyper
//! accepts a timer, which it starts when it begins to wait for a header and drops when the header is complete.
//! [`HeaderTimer`] stands still until bytes have arrived.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Timer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Bytes that Go counts as the start of a header. More than the empty line that some clients send after a body.
const MIN_HEADER_START: usize = 4;

/// Length of HTTP/2's preface. After that many bytes the client's protocol is known.
const PREFACE: usize = 24;

/// State shared by the timer and the stream of one connection.
struct Connection {
    timeout: Duration,
    first_deadline: Instant,
    /// Bytes received from the client.
    received: AtomicUsize,
    /// True if hyper has started to wait for headers, which it does not for HTTP/2.
    waits_for_headers: AtomicBool,
}

/// A stream that counts received bytes, and times out while the protocol is unknown.
pub(super) struct HeaderTimeoutStream<S> {
    stream: S,
    connection: Arc<Connection>,
    protocol_timeout: Option<Pin<Box<Sleep>>>,
}

impl<S> HeaderTimeoutStream<S> {
    /// Wraps `stream` with a header timeout.
    pub(super) fn new(stream: S, timeout: Duration) -> Self {
        let first_deadline = Instant::now() + timeout;
        let (received, waits_for_headers) = (AtomicUsize::new(0), AtomicBool::new(false));
        let connection = Connection { timeout, first_deadline, received, waits_for_headers };
        Self { stream, connection: Arc::new(connection), protocol_timeout: Some(Box::pin(sleep_until(first_deadline))) }
    }

    /// Creates the timer for hyper.
    pub(super) fn timer(&self) -> HeaderTimer {
        HeaderTimer(self.connection.clone())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeaderTimeoutStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let had = this.connection.received.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
        if let Some(protocol_timeout) = &mut this.protocol_timeout {
            if had >= PREFACE || this.connection.waits_for_headers.load(Ordering::Relaxed) {
                this.protocol_timeout = None;
            } else if read.is_pending() {
                ready!(protocol_timeout.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeaderTimeoutStream<S> {
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

/// The timer of one connection.
pub(super) struct HeaderTimer(Arc<Connection>);

impl Timer for HeaderTimer {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let is_first = !self.0.waits_for_headers.swap(true, Ordering::Relaxed);
        let running = is_first.then(|| Box::pin(sleep_until(self.0.first_deadline)));
        let before = self.0.received.load(Ordering::Relaxed);
        Box::pin(HeaderWait { connection: self.0.clone(), before, running })
    }

    fn sleep_until(&self, _: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep(self.0.timeout)
    }
}

/// The wait for one header. hyper polls it whenever it has read and the header is incomplete.
struct HeaderWait {
    connection: Arc<Connection>,
    /// Bytes received before the header.
    ///
    /// Bytes of it that came with the previous request count only once more arrive.
    before: usize,
    running: Option<Pin<Box<Sleep>>>,
}

impl Future for HeaderWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.running.is_none() && this.connection.received.load(Ordering::Relaxed) < this.before + MIN_HEADER_START {
            return Poll::Pending;
        }
        let timeout = this.connection.timeout;
        this.running.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(cx)
    }
}

impl hyper::rt::Sleep for HeaderWait {}
