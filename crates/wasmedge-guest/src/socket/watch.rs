//! Looks after a guest's TCP connections, when the guest asks.
//!
//! They are not registered with tokio: there, each request that arrives while the guest computes would wake another thread,
//! which can do no more than note that. They have a queue of events of their own (epoll, kqueue), which the guest's own calls
//! look at, and tokio knows that queue only while the guest waits.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use tokio::io::unix::AsyncFd;

use super::stream::Stream;

/// Events taken from the queue at once. What is more waits for the next look.
const AT_ONCE: usize = 256;

/// The TCP connections of one guest, by their places in its table.
#[derive(Default)]
pub(super) struct Watch {
    /// Made for the first connection: many guests have none but those inside the process.
    queue: Option<Queue>,
}

struct Queue {
    /// The queue as tokio sees it, while the guest waits. Dropped before the queue itself is.
    waiting: Option<AsyncFd<RawFd>>,
    poll: mio::Poll,
    events: Events,
    watched: usize,
    /// Whether one was added since the last look: what had happened on it before is still to be seen.
    added: bool,
}

impl Watch {
    /// Watches `stream`, at `place`, if it is a TCP connection that is not watched yet.
    pub(super) fn add(&mut self, place: usize, stream: &mut Stream) {
        let Some(tcp) = stream.tcp_mut().filter(|tcp| !tcp.is_watched()) else { return };
        match self.register(place, tcp.as_raw_fd()) {
            Ok(()) => tcp.begin_watching(),
            Err(error) => {
                tracing::warn!(%error, "a connection of a guest cannot be watched, and is closed");
                stream.give_up();
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
        queue.watched += 1;
        queue.added = true;
        Ok(())
    }

    /// Watches `stream` no more, before it is closed or becomes another guest's.
    pub(super) fn forget(&mut self, stream: &mut Stream) {
        let Some(tcp) = stream.tcp_mut().filter(|tcp| tcp.is_watched()) else { return };
        tcp.end_watching();
        if let Some(queue) = &mut self.queue {
            // It can only fail where the kernel has forgotten the connection already.
            let _ = queue.poll.registry().deregister(&mut SourceFd(&tcp.as_raw_fd()));
            queue.watched -= 1;
        }
    }

    /// Tells `saw` what has happened since the last look, and at which place.
    pub(super) fn look(&mut self, mut saw: impl FnMut(usize, &Event)) {
        let Some(queue) = self.queue.as_mut().filter(|queue| queue.watched > 0) else { return };
        queue.added = false;
        if let Err(error) = queue.poll.poll(&mut queue.events, Some(Duration::ZERO)) {
            // Interrupted: as if nothing had happened yet.
            tracing::debug!(%error, "no events of a guest's connections");
            return;
        }
        for event in &queue.events {
            saw(event.token().0, event);
        }
        if !queue.events.is_empty() {
            queue.waiting = None;
        }
    }

    /// Ready when another look is worth while.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(queue) = self.queue.as_mut().filter(|queue| queue.watched > 0) else { return Poll::Pending };
        if queue.added {
            return Poll::Ready(());
        }
        let waiting = match queue.waiting() {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(%error, "a guest's connections cannot be waited for; they are looked at again and again");
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

    /// The guest goes on: what happens now wakes nobody.
    pub(super) fn rest(&mut self) {
        if let Some(queue) = &mut self.queue {
            queue.waiting = None;
        }
    }
}

impl Queue {
    fn new() -> io::Result<Self> {
        let (poll, events) = (mio::Poll::new()?, Events::with_capacity(AT_ONCE));
        Ok(Self { waiting: None, poll, events, watched: 0, added: false })
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
