//! A guest's UDP socket.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// A UDP socket; the operating system's is created on bind, connect or first send.
pub(crate) struct Datagram {
    socket: Option<UdpSocket>,
    unbound: SocketAddr,
    peer: Option<SocketAddr>,
}

impl Datagram {
    /// Creates a socket that binds to `unbound` by default.
    pub(crate) fn new(unbound: SocketAddr) -> Self {
        Self { socket: None, unbound, peer: None }
    }

    pub(crate) fn bind(&mut self, address: SocketAddr) -> io::Result<()> {
        if self.socket.is_some() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let socket = std::net::UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        self.socket = Some(UdpSocket::from_std(socket)?);
        Ok(())
    }

    /// Sets the peer. Datagrams of others are dropped on arrival, as by a connected UDP socket.
    pub(crate) fn connect(&mut self, peer: SocketAddr) {
        self.peer = Some(peer);
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.socket.as_ref().and_then(|socket| socket.local_addr().ok()).unwrap_or(self.unbound)
    }

    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Receives the next datagram, truncated to `buffer`'s length.
    pub(crate) fn try_receive(&self, buffer: &mut [u8], peek: bool) -> io::Result<(usize, SocketAddr)> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::WouldBlock)?;
        loop {
            let (count, from) = if peek { peek_from(socket, buffer)? } else { socket.try_recv_from(buffer)? };
            if self.peer.is_none_or(|peer| peer == from) {
                return Ok((count, from));
            }
            if peek {
                let _dropped = socket.try_recv_from(&mut [])?;
            }
        }
    }

    pub(crate) fn try_send(&mut self, datagram: &[u8], peer: SocketAddr) -> io::Result<usize> {
        if self.socket.is_none() {
            self.bind(self.unbound)?;
        }
        self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_send_to(datagram, peer)
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.as_ref().map_or(Poll::Pending, |socket| socket.poll_recv_ready(cx).map(drop))
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.as_ref().map_or(Poll::Ready(()), |socket| socket.poll_send_ready(cx).map(drop))
    }
}

fn peek_from(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let mut buffer = ReadBuf::new(buffer);
    match socket.poll_peek_from(&mut Context::from_waker(Waker::noop()), &mut buffer) {
        Poll::Ready(from) => from.map(|from| (buffer.filled().len(), from)),
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
