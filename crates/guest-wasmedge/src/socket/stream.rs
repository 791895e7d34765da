//! A connected byte stream of a guest: TCP, or a connection inside the process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use mio::event::Event;
use tokio::net::TcpStream;

use super::accept_queue::{AcceptQueue, ConnectionOwner};
use super::http_tracker::HttpTracker;
use super::overload_response;
use super::pipe::MemoryStream;
use super::tcp::Tcp;
use crate::activity::{Activity, ConnectionGuard};

/// A connected stream, as the guest gets it.
pub struct Stream {
    transport: Transport,
    local: SocketAddr,
    peer: SocketAddr,
    /// Set for streams that came through an accept queue.
    admission: Option<Admission>,
}

enum Transport {
    Tcp(Tcp),
    Memory(MemoryStream),
    /// The stream moved to another guest or was closed. To this guest the peer seems to have closed it.
    Gone,
}

/// Connection of a stream to its guest.
struct Admission {
    /// Counts the stream among its guest's connections.
    guard: ConnectionGuard,
    /// Set where other guests might take the stream.
    shared: Option<Shared>,
}

/// State needed to hand a stream over.
struct Shared {
    queue: AcceptQueue,
    owner: Option<ConnectionOwner>,
    tracker: HttpTracker,
    /// True if the last request was started during another one, and the guest was busy.
    was_blocked: bool,
}

impl Stream {
    /// Wraps a TCP connection.
    ///
    /// Turns Nagle's algorithm off: guests cannot do it (the ABI has no such option), and with two writes per response
    /// it costs them 40 ms each.
    ///
    /// # Errors
    /// When the connection is closed already.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        Ok(Self { transport: Transport::Tcp(Tcp::new(stream)?), local, peer, admission: None })
    }

    /// Wraps a connection inside the process, with the addresses that the guest sees.
    #[must_use]
    pub fn memory(stream: MemoryStream, local: SocketAddr, peer: SocketAddr) -> Self {
        Self { transport: Transport::Memory(stream), local, peer, admission: None }
    }

    /// Assigns the stream to the guest with this `activity`, which sees its own end as `local`.
    ///
    /// With `queue`, it can be handed over from there.
    pub(super) fn assign(
        mut self,
        local: SocketAddr,
        activity: Arc<Activity>,
        queue: Option<(AcceptQueue, Option<ConnectionOwner>)>,
    ) -> Self {
        if matches!(self.transport, Transport::Memory(_)) {
            self.local = local;
        }
        let shared =
            queue.map(|(queue, owner)| Shared { queue, owner, tracker: HttpTracker::default(), was_blocked: false });
        self.admission = Some(Admission { guard: ConnectionGuard::new(activity), shared });
        self
    }

    /// Responds that no instance has time for a request, and closes the connection.
    pub async fn reject(self) {
        match self.transport {
            Transport::Tcp(tcp) => {
                if let Ok(stream) = tcp.into_tokio() {
                    overload_response::send(stream).await;
                }
            }
            Transport::Memory(stream) => overload_response::send(stream).await,
            Transport::Gone => {}
        }
    }

    /// Returns true if a request can move: it has arrived, and its guest has not started to read it.
    pub(super) fn can_be_handed_over(&mut self) -> bool {
        // The end of the connection is left to its current guest.
        self.tracker().is_some_and(|tracker| tracker.is_idle()) && matches!(self.peek(&mut [0]), Ok(1..))
    }

    /// Returns whether a request from the accept queue is started and unanswered.
    pub(super) fn is_mid_request(&mut self) -> bool {
        self.tracker().is_some_and(|tracker| tracker.is_mid_request())
    }

    /// Records that the started request is blocked by the busy guest, perhaps by another request.
    pub(super) fn mark_blocked(&mut self) {
        if let Some(shared) = self.admission.as_mut().and_then(|admission| admission.shared.as_mut()) {
            shared.was_blocked = true;
            shared.queue.note_blocked_requests();
        }
    }

    /// Returns whether the last request was blocked, the next has not started, and another guest is idle.
    ///
    /// Two connections whose requests arrive together would block each other again and again.
    pub(super) fn should_move(&self) -> bool {
        let Some(Admission { guard, shared: Some(shared) }) = &self.admission else { return false };
        shared.was_blocked && shared.tracker.is_idle() && shared.queue.has_idle_sibling(guard.activity())
    }

    /// Returns the connection to its accept queue: this guest is busy, and another may respond sooner.
    pub(super) fn hand_over(&mut self) {
        let Some(Admission { guard, shared: Some(Shared { queue, owner, .. }) }) = self.admission.take() else {
            return;
        };
        let transport = std::mem::replace(&mut self.transport, Transport::Gone);
        let had = guard.activity().clone();
        // Uncount it before the queue compares the instances' connections.
        drop(guard);
        queue.requeue(Self { transport, local: self.local, peer: self.peer, admission: None }, owner, &had);
    }

    fn tracker(&mut self) -> Option<&mut HttpTracker> {
        Some(&mut self.admission.as_mut()?.shared.as_mut()?.tracker)
    }

    fn stop_tracking(&mut self) {
        if let Some(tracker) = self.tracker() {
            tracker.stop();
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns whether the guest opened this connection, to a host task in this process.
    pub(crate) fn is_to_host(&self) -> bool {
        matches!(self.transport, Transport::Memory(_)) && self.admission.is_none()
    }

    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.transport {
            Transport::Tcp(tcp) => tcp.try_read(buffer),
            Transport::Memory(stream) => stream.try_read(buffer),
            Transport::Gone => Ok(0),
        }?;
        if let Some(shared) = self.admission.as_mut().and_then(|admission| admission.shared.as_mut()) {
            shared.tracker.record_read(buffer.get(..count).unwrap_or_default());
            shared.was_blocked &= count == 0;
        }
        Ok(count)
    }

    pub(crate) fn try_peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stop_tracking();
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
        if let Some(tracker) = self.tracker() {
            let mut left = count;
            for buffer in buffers {
                let written = buffer.get(..left.min(buffer.len())).unwrap_or_default();
                tracker.record_write(written);
                left -= written.len();
            }
        }
        Ok(count)
    }

    /// Returns the TCP connection, if it is one. Its readiness comes from the guest's event queue.
    pub(super) fn tcp_mut(&mut self) -> Option<&mut Tcp> {
        match &mut self.transport {
            Transport::Tcp(tcp) => Some(tcp),
            Transport::Memory(_) | Transport::Gone => None,
        }
    }

    /// Closes the connection while the guest still holds it.
    pub(super) fn discard(&mut self) {
        self.transport = Transport::Gone;
    }

    pub(super) fn record_event(&mut self, event: &Event) {
        if let Some(tcp) = self.tcp_mut() {
            tcp.record_event(event);
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
        self.stop_tracking();
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
