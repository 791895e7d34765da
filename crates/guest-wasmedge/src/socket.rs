//! A guest's sockets, backed by the operating system's TCP and UDP, or by the process itself.

mod accept_queue;
mod datagram;
mod http_tracker;
mod listener;
mod overload_response;
mod pipe;
mod stream;
mod table;
mod tcp;
mod watch;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;

pub use accept_queue::{AcceptQueue, ConnectionOwner};
pub use listener::Listener;
pub use pipe::MemoryStream;
pub use stream::Stream;

pub(crate) use datagram::Datagram;
pub(crate) use table::{FIRST_SOCKET, SocketTable};

use crate::descriptors::DescriptorPermit;
use crate::errno::Errno;
use crate::network::IoFuture;

/// IPv4 or IPv6: `__wasi_address_family_t` 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn from_address(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The address of a socket before it is bound.
    pub(crate) fn unspecified(self) -> SocketAddr {
        let ip = match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        SocketAddr::new(ip, 0)
    }
}

/// Direction of a readiness check.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// State of a socket descriptor.
pub(crate) enum Kind {
    /// Opened for streams, and perhaps bound; neither listening nor connected.
    Fresh {
        bound: Option<SocketAddr>,
    },
    Listener(Listener),
    /// A non-blocking connect under way.
    Connecting(IoFuture<TcpStream>),
    /// A failed connect: the error is kept for `SO_ERROR`.
    Failed(Option<Errno>),
    Stream(Stream),
    Datagram(Datagram),
}

/// Options without effect, except that the guest can read them back.
#[derive(Default)]
pub(crate) struct Options {
    numbers: [u32; 15],
    pub(crate) linger: [u32; 2],
}

impl Options {
    pub(crate) fn number(&self, name: u32) -> u32 {
        self.numbers.get(name as usize).copied().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, name: u32, value: u32) {
        if let Some(number) = self.numbers.get_mut(name as usize) {
            *number = value;
        }
    }
}

/// One socket descriptor of a guest.
pub(crate) struct Socket {
    pub(crate) family: Family,
    pub(crate) kind: Kind,
    pub(crate) nonblocking: bool,
    pub(crate) receive_timeout: Option<Duration>,
    pub(crate) send_timeout: Option<Duration>,
    pub(crate) options: Options,
    /// For `epoll_oneoff`: this readiness was reported, and the guest has not used it since.
    pub(crate) read_reported: bool,
    pub(crate) write_reported: bool,
    /// The socket's share of the application's descriptor budget.
    permit: Option<DescriptorPermit>,
}

impl Socket {
    pub(crate) fn new(family: Family, kind: Kind) -> Self {
        Self {
            family,
            kind,
            nonblocking: false,
            receive_timeout: None,
            send_timeout: None,
            options: Options::default(),
            read_reported: false,
            write_reported: false,
            permit: None,
        }
    }

    /// Ready when a read or accept would not block.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.kind {
            Kind::Listener(listener) => listener.poll_readable(cx),
            Kind::Stream(stream) => stream.poll_readable(cx),
            Kind::Datagram(datagram) => datagram.poll_readable(cx),
            Kind::Failed(_) => Poll::Ready(()),
            Kind::Fresh { .. } | Kind::Connecting(_) => Poll::Pending,
        }
    }

    /// Ready when a write would not block, or a connect has ended, successfully or not.
    fn poll_writable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.kind {
            Kind::Stream(stream) => stream.poll_writable(cx),
            Kind::Datagram(datagram) => datagram.poll_writable(cx),
            Kind::Failed(_) => Poll::Ready(()),
            Kind::Fresh { .. } | Kind::Listener(_) | Kind::Connecting(_) => Poll::Pending,
        }
    }

    /// Polls a pending connect.
    fn advance(&mut self, cx: &mut Context<'_>) {
        if let Kind::Connecting(connecting) = &mut self.kind
            && let Poll::Ready(connected) = connecting.as_mut().poll(cx)
        {
            self.kind = match connected.and_then(Stream::tcp) {
                Ok(stream) => Kind::Stream(stream),
                Err(error) => Kind::Failed(Some(error.into())),
            };
        }
    }

    pub(crate) fn stream(&mut self) -> Result<&mut Stream, Errno> {
        match &mut self.kind {
            Kind::Stream(stream) => Ok(stream),
            Kind::Connecting(_) => Err(Errno::AGAIN),
            Kind::Failed(errno) => Err(errno.unwrap_or(Errno::NOTCONN)),
            Kind::Fresh { .. } | Kind::Listener(_) | Kind::Datagram(_) => Err(Errno::NOTCONN),
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        match &self.kind {
            Kind::Fresh { bound: Some(address) } => *address,
            Kind::Listener(listener) => listener.local(),
            Kind::Stream(stream) => stream.local(),
            Kind::Datagram(datagram) => datagram.local(),
            Kind::Fresh { bound: None } | Kind::Connecting(_) | Kind::Failed(_) => self.family.unspecified(),
        }
    }

    pub(crate) fn peer(&self) -> Result<SocketAddr, Errno> {
        match &self.kind {
            Kind::Stream(stream) => Ok(stream.peer()),
            Kind::Datagram(datagram) => datagram.peer().ok_or(Errno::NOTCONN),
            _ => Err(Errno::NOTCONN),
        }
    }
}
