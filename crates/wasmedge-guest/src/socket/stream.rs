//! A connected byte stream of a guest: real TCP, or a connection inside the process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use mio::event::Event;
use tokio::net::TcpStream;

use super::door::{Door, Holder};
use super::exchange::Exchange;
use super::pipe::MemoryStream;
use super::refusal;
use super::tcp::Tcp;
use crate::activity::{Activity, Counted};

/// A connected stream, as it is handed to a guest.
pub struct Stream {
    transport: Transport,
    local: SocketAddr,
    peer: SocketAddr,
    /// Where it came through a door.
    admission: Option<Admission>,
}

enum Transport {
    Tcp(Tcp),
    Memory(MemoryStream),
    /// Another guest has it, or nobody. To this one it looks as if the peer had closed it.
    Gone,
}

/// How a stream came to its guest.
struct Admission {
    /// Counts it among its guest's connections.
    counted: Counted,
    /// Where there may be other guests who would take it.
    shared: Option<Shared>,
}

/// What is needed to hand a stream over.
struct Shared {
    door: Door,
    holder: Option<Holder>,
    exchange: Exchange,
    /// Whether the last request was begun when another one was, and the guest computed.
    held_up: bool,
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
        Ok(Self { transport: Transport::Tcp(Tcp::new(stream)?), local, peer, admission: None })
    }

    /// A connection inside the process, under the addresses that the guest is to see.
    #[must_use]
    pub fn memory(stream: MemoryStream, local: SocketAddr, peer: SocketAddr) -> Self {
        Self { transport: Transport::Memory(stream), local, peer, admission: None }
    }

    /// The stream as it is in the hands of the guest that `activity` tells of, which sees its own end as `local`. With
    /// `door`, it can be handed over from there.
    pub(super) fn taken(
        mut self,
        local: SocketAddr,
        activity: Arc<Activity>,
        door: Option<(Door, Option<Holder>)>,
    ) -> Self {
        if matches!(self.transport, Transport::Memory(_)) {
            self.local = local;
        }
        let shared = door.map(|(door, holder)| Shared { door, holder, exchange: Exchange::default(), held_up: false });
        self.admission = Some(Admission { counted: Counted::new(activity), shared });
        self
    }

    /// Answers that nobody has time for a request, and closes the connection.
    pub async fn refuse(self) {
        match self.transport {
            Transport::Tcp(tcp) => {
                if let Ok(stream) = tcp.into_tokio() {
                    refusal::tell(stream).await;
                }
            }
            Transport::Memory(stream) => refusal::tell(stream).await,
            Transport::Gone => {}
        }
    }

    /// Whether a request has arrived that its guest has not begun to read, so that another guest may have it.
    pub(super) fn can_be_handed_over(&mut self) -> bool {
        // The end of the connection is left to who has it.
        self.following().is_some_and(|exchange| exchange.is_between()) && matches!(self.peek(&mut [0]), Ok(1..))
    }

    /// Whether a request that came through a door is begun and not answered.
    pub(super) fn has_begun(&mut self) -> bool {
        self.following().is_some_and(|exchange| exchange.is_within())
    }

    /// The request that is begun waits for the guest, which computes, perhaps for another one.
    pub(super) fn hold_up(&mut self) {
        if let Some(shared) = self.admission.as_mut().and_then(|admission| admission.shared.as_mut()) {
            shared.held_up = true;
            shared.door.hold_up();
        }
    }

    /// Whether the last request was held up, the next is not begun, and another guest waits. Two whose requests arrive together
    /// would be in each other's way again and again.
    pub(super) fn is_better_off_elsewhere(&self) -> bool {
        let Some(Admission { counted, shared: Some(shared) }) = &self.admission else { return false };
        shared.held_up && shared.exchange.is_between() && shared.door.has_time_beside(counted.activity())
    }

    /// Gives the connection back to the door it came through: the guest computes something else, and another one may answer
    /// sooner.
    pub(super) fn hand_over(&mut self) {
        let Some(Admission { counted, shared: Some(Shared { door, holder, .. }) }) = self.admission.take() else {
            return;
        };
        let transport = std::mem::replace(&mut self.transport, Transport::Gone);
        let had = counted.activity().clone();
        // Not one of its connections any more, when it is asked which instance has fewest.
        drop(counted);
        door.arrive_again(Self { transport, local: self.local, peer: self.peer, admission: None }, holder, &had);
    }

    fn following(&mut self) -> Option<&mut Exchange> {
        Some(&mut self.admission.as_mut()?.shared.as_mut()?.exchange)
    }

    fn lose_track(&mut self) {
        if let Some(exchange) = self.following() {
            exchange.lose();
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether the guest has made this connection, and somebody in this process is at its other end.
    pub(crate) fn asks_host(&self) -> bool {
        matches!(self.transport, Transport::Memory(_)) && self.admission.is_none()
    }

    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.transport {
            Transport::Tcp(tcp) => tcp.try_read(buffer),
            Transport::Memory(stream) => stream.try_read(buffer),
            Transport::Gone => Ok(0),
        }?;
        if let Some(shared) = self.admission.as_mut().and_then(|admission| admission.shared.as_mut()) {
            shared.exchange.read(buffer.get(..count).unwrap_or_default());
            shared.held_up &= count == 0;
        }
        Ok(count)
    }

    pub(crate) fn try_peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lose_track();
        self.peek(buffer)
    }

    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.transport {
            Transport::Tcp(tcp) => tcp.peek(buffer),
            Transport::Memory(stream) => stream.try_peek(buffer),
            Transport::Gone => Ok(0),
        }
    }

    pub(crate) fn try_write(&mut self, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let count = match &mut self.transport {
            Transport::Tcp(tcp) => tcp.try_write(buffers),
            Transport::Memory(stream) => write_to_memory(stream, buffers),
            Transport::Gone => Err(io::ErrorKind::BrokenPipe.into()),
        }?;
        if let Some(exchange) = self.following() {
            let mut left = count;
            for buffer in buffers {
                let written = buffer.get(..left.min(buffer.len())).unwrap_or_default();
                exchange.wrote(written);
                left -= written.len();
            }
        }
        Ok(count)
    }

    /// The TCP connection behind it, if it is one: its readiness is seen by who watches it.
    pub(super) fn tcp_mut(&mut self) -> Option<&mut Tcp> {
        match &mut self.transport {
            Transport::Tcp(tcp) => Some(tcp),
            Transport::Memory(_) | Transport::Gone => None,
        }
    }

    /// Closes it, though the guest still has it.
    pub(super) fn give_up(&mut self) {
        self.transport = Transport::Gone;
    }

    pub(super) fn saw(&mut self, event: &Event) {
        if let Some(tcp) = self.tcp_mut() {
            tcp.saw(event);
        }
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.transport {
            Transport::Tcp(tcp) => ready_if(tcp.is_readable()),
            Transport::Memory(stream) => stream.poll_readable(cx),
            Transport::Gone => Poll::Ready(()),
        }
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.transport {
            Transport::Tcp(tcp) => ready_if(tcp.is_writable()),
            Transport::Memory(stream) => stream.poll_writable(cx),
            Transport::Gone => Poll::Ready(()),
        }
    }

    pub(crate) fn shutdown(&mut self, read: bool, write: bool) -> io::Result<()> {
        self.lose_track();
        match &self.transport {
            Transport::Tcp(tcp) => {
                let how = match (read, write) {
                    (true, true) => std::net::Shutdown::Both,
                    (true, false) => std::net::Shutdown::Read,
                    (false, true) => std::net::Shutdown::Write,
                    (false, false) => return Err(io::ErrorKind::InvalidInput.into()),
                };
                tcp.shutdown(how)
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
            Transport::Gone => Ok(()),
        }
    }
}

fn ready_if(ready: bool) -> Poll<()> {
    if ready { Poll::Ready(()) } else { Poll::Pending }
}

fn write_to_memory(stream: &MemoryStream, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
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
