//! A connected byte stream of a guest: real TCP, or a connection inside the process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::net::TcpStream;

use super::pipe::MemoryStream;
use crate::activity::{Activity, Counted};

/// A connected stream, as it is handed to a guest.
pub struct Stream {
    transport: Transport,
    local: SocketAddr,
    peer: SocketAddr,
    /// Counts it among its guest's connections, where it came through a door.
    counted: Option<Counted>,
}

enum Transport {
    Tcp(TcpStream),
    Memory(MemoryStream),
}

impl Stream {
    /// A real TCP connection. Nagle's algorithm is turned off: guests cannot do it (the ABI has no such option), and
    /// with two writes a response it costs them 40 ms each.
    ///
    /// # Errors
    /// Where the connection is gone already.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        Ok(Self { transport: Transport::Tcp(stream), local, peer, counted: None })
    }

    /// A connection inside the process, under the addresses that the guest is to see.
    #[must_use]
    pub fn memory(stream: MemoryStream, local: SocketAddr, peer: SocketAddr) -> Self {
        Self { transport: Transport::Memory(stream), local, peer, counted: None }
    }

    /// The stream as it is in the hands of the guest that `activity` tells of, which sees its own end as `local`.
    pub(super) fn taken(mut self, local: SocketAddr, activity: Arc<Activity>) -> Self {
        if matches!(self.transport, Transport::Memory(_)) {
            self.local = local;
        }
        self.counted = Some(Counted::new(activity));
        self
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.transport {
            Transport::Tcp(stream) => stream.try_read(buffer),
            Transport::Memory(stream) => stream.try_read(buffer),
        }
    }

    pub(crate) fn try_peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.transport {
            Transport::Tcp(stream) => {
                let mut buffer = tokio::io::ReadBuf::new(buffer);
                match stream.poll_peek(&mut Context::from_waker(Waker::noop()), &mut buffer) {
                    Poll::Ready(peeked) => peeked,
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                }
            }
            Transport::Memory(stream) => stream.try_peek(buffer),
        }
    }

    pub(crate) fn try_write(&self, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match &self.transport {
            Transport::Tcp(stream) => stream.try_write_vectored(buffers),
            Transport::Memory(stream) => {
                let mut written = 0;
                for buffer in buffers {
                    match stream.try_write(buffer) {
                        Ok(count) => written += count,
                        Err(_) if written > 0 => break,
                        Err(error) => return Err(error),
                    }
                }
                Ok(written)
            }
        }
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.transport {
            Transport::Tcp(stream) => stream.poll_read_ready(cx).map(drop),
            Transport::Memory(stream) => stream.poll_readable(cx),
        }
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.transport {
            Transport::Tcp(stream) => stream.poll_write_ready(cx).map(drop),
            Transport::Memory(stream) => stream.poll_writable(cx),
        }
    }

    pub(crate) fn shutdown(&self, read: bool, write: bool) -> io::Result<()> {
        match &self.transport {
            Transport::Tcp(stream) => {
                let how = match (read, write) {
                    (true, true) => std::net::Shutdown::Both,
                    (true, false) => std::net::Shutdown::Read,
                    (false, true) => std::net::Shutdown::Write,
                    (false, false) => return Err(io::ErrorKind::InvalidInput.into()),
                };
                socket2::SockRef::from(stream).shutdown(how)
            }
            Transport::Memory(stream) => {
                if read {
                    stream.shutdown_read();
                }
                if write {
                    stream.shutdown_write();
                }
                Ok(())
            }
        }
    }
}
