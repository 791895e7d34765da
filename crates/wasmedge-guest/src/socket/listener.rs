//! A guest's listening socket: a real listener, or a place at its application's door.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use tokio::net::TcpListener;

use super::door::Door;
use super::stream::Stream;

/// What a guest's `listen` gets.
pub struct Listener {
    local: SocketAddr,
    source: Source,
}

enum Source {
    Tcp {
        tcp: TcpListener,
        /// A connection that a readiness check has taken and the guest has not accepted yet.
        ready: Option<Stream>,
    },
    Door {
        door: Door,
        seat: u64,
        /// The guest has enough to do.
        is_laden: bool,
    },
}

impl Listener {
    /// Listens on `tcp`, which the guest sees as `local` and shares with nobody.
    #[must_use]
    pub fn new(tcp: TcpListener, local: SocketAddr) -> Self {
        Self { local, source: Source::Tcp { tcp, ready: None } }
    }

    pub(super) fn at_door(door: Door, seat: u64, local: SocketAddr) -> Self {
        Self { local, source: Source::Door { door, seat, is_laden: false } }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether connections wait for one of the instances.
    pub(super) fn is_wanted(&self) -> bool {
        matches!(&self.source, Source::Door { door, .. } if !door.is_empty())
    }

    /// Notes whether its guest has enough to do.
    pub(super) fn set_laden(&mut self, laden: bool) {
        if let Source::Door { is_laden, .. } = &mut self.source {
            *is_laden = laden;
        }
    }

    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (tcp, ready) = match &mut self.source {
            Source::Door { door, seat, is_laden } => return door.poll(*seat, *is_laden, cx),
            Source::Tcp { tcp, ready } => (tcp, ready),
        };
        if ready.is_some() {
            return Poll::Ready(());
        }
        while let Poll::Ready(accepted) = tcp.poll_accept(cx) {
            // A connection that broke between the kernel's accept and ours is nobody's business any more; when
            // descriptors run out the guest is told to try, and its accept reports the error.
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
            Source::Door { door, seat, .. } => door.take(*seat, self.local),
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
        if let Source::Door { door, seat, .. } = &self.source {
            door.leave(*seat);
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
