//! A guest's listening socket: a TCP listener, or an acceptor at its application's queue.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use tokio::net::TcpListener;

use super::accept_queue::AcceptQueue;
use super::stream::Stream;

/// The result of a guest's `listen`.
pub struct Listener {
    local: SocketAddr,
    source: Source,
}

enum Source {
    Tcp {
        tcp: TcpListener,
        /// A connection accepted by a readiness check and not yet by the guest.
        ready: Option<Stream>,
    },
    Queue {
        queue: AcceptQueue,
        acceptor: u64,
        /// The guest has enough work.
        is_saturated: bool,
    },
}

impl Listener {
    /// Listens on `tcp`, seen by the guest as `local` and shared with no other guest.
    #[must_use]
    pub fn new(tcp: TcpListener, local: SocketAddr) -> Self {
        Self { local, source: Source::Tcp { tcp, ready: None } }
    }

    pub(super) fn at_queue(queue: AcceptQueue, acceptor: u64, local: SocketAddr) -> Self {
        Self { local, source: Source::Queue { queue, acceptor, is_saturated: false } }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Returns whether connections wait in the application's queue.
    pub(super) fn has_pending(&self) -> bool {
        matches!(&self.source, Source::Queue { queue, .. } if !queue.is_empty())
    }

    /// Sets whether the guest has enough work.
    pub(super) fn set_saturated(&mut self, saturated: bool) {
        if let Source::Queue { is_saturated, .. } = &mut self.source {
            *is_saturated = saturated;
        }
    }

    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (tcp, ready) = match &mut self.source {
            Source::Queue { queue, acceptor, is_saturated } => return queue.poll(*acceptor, *is_saturated, cx),
            Source::Tcp { tcp, ready } => (tcp, ready),
        };
        if ready.is_some() {
            return Poll::Ready(());
        }
        while let Poll::Ready(accepted) = tcp.poll_accept(cx) {
            // A connection that broke between the kernel's accept and ours is skipped. When descriptors run out, report
            // readiness: the guest's accept then returns the error.
            match accepted.and_then(|(stream, _)| Stream::tcp(stream)) {
                Ok(stream) => {
                    *ready = Some(stream);
                    return Poll::Ready(());
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    pub(crate) fn try_accept(&mut self) -> io::Result<Stream> {
        match &mut self.source {
            Source::Queue { queue, acceptor, .. } => queue.try_accept(*acceptor, self.local),
            Source::Tcp { tcp, ready } => match ready.take() {
                Some(stream) => Ok(stream),
                None => match tcp.poll_accept(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(accepted) => accepted.and_then(|(stream, _)| Stream::tcp(stream)),
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                },
            },
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Source::Queue { queue, acceptor, .. } = &self.source {
            queue.remove(*acceptor);
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused | Kind::NotConnected
    )
}
