//! A guest's listening socket: a real listener for the world outside and, behind the same descriptor, a queue of
//! connections from inside the process.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::net::TcpListener;

use super::pipe::MemoryStream;
use super::stream::Stream;

/// Connections from inside the process that may wait for a guest to accept them; more are refused.
const BACKLOG: usize = 1024;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(MemoryStream, SocketAddr)>,
    closed: bool,
    guest: Option<Waker>,
}

/// Opens connections to a guest's listener from inside the process.
#[derive(Clone)]
pub struct Connector(Arc<Mutex<Queue>>);

impl Connector {
    /// A new connection that the guest will accept as coming from `peer`.
    ///
    /// # Errors
    /// `ConnectionRefused` when the guest has closed its listener, or accepts too slowly to keep up.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<MemoryStream> {
        let mut queue = self.lock();
        if queue.closed || queue.waiting.len() >= BACKLOG {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = MemoryStream::pair();
        queue.waiting.push_back((theirs, peer));
        let guest = queue.guest.take();
        drop(queue);
        if let Some(waker) = guest {
            waker.wake();
        }
        Ok(ours)
    }

    /// Whether the guest still listens.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a guest's `listen` gets.
pub struct Listener {
    tcp: TcpListener,
    local: SocketAddr,
    inside: Connector,
    /// A connection that a readiness check has taken and the guest has not accepted yet.
    ready: Option<Stream>,
}

impl Listener {
    /// Listens on `tcp`, which the guest sees as `local`.
    #[must_use]
    pub fn new(tcp: TcpListener, local: SocketAddr) -> Self {
        Self { tcp, local, inside: Connector(Arc::default()), ready: None }
    }

    /// A handle that opens connections to this listener from inside the process.
    #[must_use]
    pub fn connector(&self) -> Connector {
        self.inside.clone()
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ready.is_some() {
            return Poll::Ready(());
        }
        {
            let mut queue = self.inside.lock();
            if !queue.waiting.is_empty() {
                return Poll::Ready(());
            }
            queue.guest = Some(cx.waker().clone());
        }
        while let Poll::Ready(accepted) = self.tcp.poll_accept(cx) {
            // A connection that broke between the kernel's accept and ours is nobody's business any more; when
            // descriptors run out the guest is told to try, and its accept reports the error.
            match accepted.and_then(|(stream, _)| Stream::tcp(stream)) {
                Ok(stream) => {
                    self.ready = Some(stream);
                    return Poll::Ready(());
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    pub(crate) fn try_accept(&mut self) -> io::Result<Stream> {
        if let Some(stream) = self.ready.take() {
            return Ok(stream);
        }
        let inside = self.inside.lock().waiting.pop_front();
        if let Some((stream, peer)) = inside {
            return Ok(Stream::memory(stream, self.local, peer));
        }
        let mut nobody = Context::from_waker(Waker::noop());
        match self.tcp.poll_accept(&mut nobody) {
            Poll::Ready(accepted) => accepted.and_then(|(stream, _)| Stream::tcp(stream)),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut queue = self.inside.lock();
        queue.closed = true;
        queue.waiting.clear();
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused | Kind::NotConnected
    )
}
