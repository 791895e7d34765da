//! Polls a guest's TCP connections when the guest asks.
//!
//! They are not registered with tokio: there, each request that arrives while the guest is busy would wake another
//! thread, only to note that. They have an event queue of their own (epoll, kqueue), which the guest's calls poll;
//! tokio waits on that queue only while the guest is suspended.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use tokio::io::unix::AsyncFd;

use super::stream::Stream;

/// Maximum events taken from the queue at once. More wait for the next poll.
const MAX_EVENTS: usize = 256;

/// The TCP connections of one guest, by index in its table.
#[derive(Default)]
pub(super) struct Watch {
    /// Created for the first TCP connection: many guests have none.
    queue: Option<Queue>,
}

struct Queue {
    /// The queue's registration with tokio, while the guest is suspended. Dropped before the queue itself.
    waiting: Option<AsyncFd<RawFd>>,
    poll: mio::Poll,
    events: Events,
    registered: usize,
    /// True if a connection was added since the last poll. Its earlier events are still to be seen.
    added: bool,
}

impl Watch {
    /// Registers `stream`, at `place`, if it is a TCP connection that is not registered yet.
    pub(super) fn add(&mut self, place: usize, stream: &mut Stream) {
        let Some(tcp) = stream.tcp_mut().filter(|tcp| !tcp.is_registered()) else { return };
        match self.register(place, tcp.as_raw_fd()) {
            Ok(()) => tcp.set_registered(),
            Err(error) => {
                tracing::warn!(%error, "cannot watch a guest's connection; closing it");
                stream.discard();
            }
        }
    }

    fn register(&mut self, place: usize, fd: RawFd) -> io::Result<()> {
        let queue = match &mut self.queue {
            Some(queue) => queue,
            None => self.queue.insert(Queue::new()?),
        };
        let both = Interest::READABLE | Interest::WRITABLE;
        queue.poll.registry().register(&mut SourceFd(&fd), Token(place), both)?;
        queue.registered += 1;
        queue.added = true;
        Ok(())
    }

    /// Deregisters `stream`, before it is closed or moves to another guest.
    pub(super) fn deregister(&mut self, stream: &mut Stream) {
        let Some(tcp) = stream.tcp_mut().filter(|tcp| tcp.is_registered()) else { return };
        tcp.set_deregistered();
        if let Some(queue) = &mut self.queue {
            // Fails only where the kernel has dropped the connection already.
            let _ = queue.poll.registry().deregister(&mut SourceFd(&tcp.as_raw_fd()));
            queue.registered -= 1;
        }
    }

    /// Calls `on_event` for each event since the last poll, with its index.
    pub(super) fn poll_events(&mut self, mut on_event: impl FnMut(usize, &Event)) {
        let Some(queue) = self.queue.as_mut().filter(|queue| queue.registered > 0) else { return };
        queue.added = false;
        if let Err(error) = queue.poll.poll(&mut queue.events, Some(Duration::ZERO)) {
            // Interrupted: as if there were no event yet.
            tracing::debug!(%error, "cannot poll a guest's connections");
            return;
        }
        for event in &queue.events {
            on_event(event.token().0, event);
        }
        if !queue.events.is_empty() {
            queue.waiting = None;
        }
    }

    /// Ready when another poll may yield events.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(queue) = self.queue.as_mut().filter(|queue| queue.registered > 0) else { return Poll::Pending };
        if queue.added {
            return Poll::Ready(());
        }
        let waiting = match queue.waiting() {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(%error, "cannot wait for a guest's connections; polling repeatedly");
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        };
        let ready = waiting.poll_read_ready(cx).map(drop);
        if ready.is_ready() {
            queue.waiting = None;
        }
        ready
    }

    /// Stops waiting: while the guest runs, events wake no thread.
    pub(super) fn stop_waiting(&mut self) {
        if let Some(queue) = &mut self.queue {
            queue.waiting = None;
        }
    }
}

impl Queue {
    fn new() -> io::Result<Self> {
        let (poll, events) = (mio::Poll::new()?, Events::with_capacity(MAX_EVENTS));
        Ok(Self { waiting: None, poll, events, registered: 0, added: false })
    }

    #[expect(unsafe_code, reason = "tokio cannot know how long the queue lives")]
    fn waiting(&mut self) -> io::Result<&AsyncFd<RawFd>> {
        if let Some(waiting) = self.waiting.take() {
            return Ok(self.waiting.insert(waiting));
        }
        // SAFETY: the descriptor is `poll`'s, which is never replaced, and is dropped after `waiting`.
        let waiting = unsafe { AsyncFd::register_with_interest(self.poll.as_raw_fd(), tokio::io::Interest::READABLE) }?;
        Ok(self.waiting.insert(waiting))
    }
}

#[cfg(test)]
mod tests;
