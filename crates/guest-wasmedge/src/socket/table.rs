//! The socket descriptors of one guest.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::watch::Watch;
use super::{Direction, Kind, Socket, Stream};
use crate::descriptors::DescriptorBudget;
use crate::errno::Errno;

/// First socket descriptor; those below belong to files and standard streams.
///
/// Far above what a guest may open in files, so the two never meet.
pub(crate) const FIRST_SOCKET: u32 = 1 << 16;

/// Requests that a guest starts at once, before others wait in the accept queue.
///
/// A started request cannot move to another instance, and where each takes a second the last would wait too long. A
/// guest that is idle takes more.
const MAX_STARTED: usize = 8;

/// The sockets of one guest, by descriptor.
pub(crate) struct SocketTable {
    slots: Vec<Option<Socket>>,
    open: usize,
    descriptors: Arc<DescriptorBudget>,
    pub(super) watch: Watch,
}

impl SocketTable {
    pub(crate) fn new(descriptors: Arc<DescriptorBudget>) -> Self {
        Self { slots: Vec::new(), open: 0, descriptors, watch: Watch::default() }
    }

    /// Gives `socket` the lowest free descriptor, or fails with `EMFILE` at the application's limit.
    pub(crate) fn insert(&mut self, mut socket: Socket) -> Result<u32, Errno> {
        socket.permit = Some(self.descriptors.take().ok_or(Errno::MFILE)?);
        let free = if self.open == self.slots.len() { None } else { self.slots.iter().position(Option::is_none) };
        let index = match free {
            Some(index) => index,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(socket);
        }
        self.open += 1;
        u32::try_from(index).ok().and_then(|index| FIRST_SOCKET.checked_add(index)).ok_or(Errno::MFILE)
    }

    pub(crate) fn get(&self, fd: u32) -> Result<&Socket, Errno> {
        index(fd).and_then(|index| self.slots.get(index)).and_then(Option::as_ref).ok_or(Errno::BADF)
    }

    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Socket, Errno> {
        index(fd).and_then(|index| self.slots.get_mut(index)).and_then(Option::as_mut).ok_or(Errno::BADF)
    }

    /// Returns a socket for reading.
    ///
    /// Before the next request is started, its connection may move to another guest.
    pub(crate) fn for_reading(&mut self, fd: u32) -> Result<&mut Socket, Errno> {
        let Self { slots, watch, .. } = self;
        let socket = index(fd).and_then(|index| slots.get_mut(index)).and_then(Option::as_mut).ok_or(Errno::BADF)?;
        if let Kind::Stream(stream) = &mut socket.kind
            && stream.should_move()
        {
            watch.deregister(stream);
            stream.hand_over();
        }
        Ok(socket)
    }

    /// Calls `find` until it returns a value, again after each event on the sockets that it polled.
    pub(crate) fn poll_until<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut find: impl FnMut(&mut Self, &mut Context<'_>) -> Option<T>,
    ) -> Poll<T> {
        loop {
            self.process_events();
            if let Some(found) = find(self, cx) {
                self.watch.stop_waiting();
                return Poll::Ready(found);
            }
            ready!(self.watch.poll(cx));
        }
    }

    /// Ready when `fd` is, or never will be. Call it within [`poll_until`](Self::poll_until).
    pub(crate) fn poll(&mut self, fd: u32, direction: Direction, cx: &mut Context<'_>) -> Result<Poll<()>, Errno> {
        let place = index(fd).ok_or(Errno::BADF)?;
        if matches!(direction, Direction::Read) {
            self.for_reading(fd)?;
        }
        let is_saturated = self.has_pending(place) && self.is_saturated();
        let socket = self.slots.get_mut(place).and_then(Option::as_mut).ok_or(Errno::BADF)?;
        if let Kind::Listener(listener) = &mut socket.kind {
            listener.set_saturated(is_saturated);
        }
        socket.advance(cx);
        if let Kind::Stream(stream) = &mut socket.kind {
            self.watch.add(place, stream);
        }
        Ok(match direction {
            Direction::Read => socket.poll_readable(cx),
            Direction::Write => socket.poll_writable(cx),
        })
    }

    /// Returns whether connections are queued for the listener at `place`.
    fn has_pending(&self, place: usize) -> bool {
        let socket = self.slots.get(place).and_then(Option::as_ref);
        matches!(socket, Some(Socket { kind: Kind::Listener(listener), .. }) if listener.has_pending())
    }

    /// Returns whether the guest has started as many requests as it should have at once.
    fn is_saturated(&mut self) -> bool {
        let streams = self.slots.iter_mut().flatten().filter_map(|socket| match &mut socket.kind {
            Kind::Stream(stream) => Some(stream),
            _ => None,
        });
        streams.filter_map(|stream| stream.is_mid_request().then_some(())).take(MAX_STARTED).count() >= MAX_STARTED
    }

    /// Processes pending events of the TCP connections.
    fn process_events(&mut self) {
        let Self { slots, watch, .. } = self;
        watch.poll_events(|place, event| {
            if let Some(Some(Socket { kind: Kind::Stream(stream), .. })) = slots.get_mut(place) {
                stream.record_event(event);
            }
        });
    }

    /// Hands over the connections that another guest may serve sooner than this busy one.
    ///
    /// Started requests cannot move: of several, all but one are blocked. Which one is unknown; any will do.
    pub(crate) fn hand_over(&mut self) {
        let Self { slots, watch, .. } = self;
        let mut started: Vec<&mut Stream> = Vec::new();
        for socket in slots.iter_mut().flatten() {
            let Kind::Stream(stream) = &mut socket.kind else { continue };
            if stream.can_be_handed_over() {
                watch.deregister(stream);
                stream.hand_over();
            } else if stream.is_mid_request() {
                started.push(stream);
            }
        }
        // All but one should leave if they can; the one that stays then blocks none.
        started.into_iter().skip(1).for_each(Stream::mark_blocked);
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        let slot = index(fd).and_then(|index| self.slots.get_mut(index)).ok_or(Errno::BADF)?;
        let mut socket = slot.take().ok_or(Errno::BADF)?;
        if let Kind::Stream(stream) = &mut socket.kind {
            self.watch.deregister(stream);
        }
        self.open -= 1;
        Ok(())
    }
}

fn index(fd: u32) -> Option<usize> {
    fd.checked_sub(FIRST_SOCKET).and_then(|index| usize::try_from(index).ok())
}

#[cfg(test)]
mod tests {
    use super::super::{Family, Kind};
    use super::*;

    fn fresh() -> Socket {
        Socket::new(Family::V4, Kind::Fresh { bound: None })
    }

    #[test]
    fn closed_descriptor_is_reused_and_limit_holds() {
        let mut table = SocketTable::new(DescriptorBudget::new(2));
        let first = table.insert(fresh()).unwrap();
        let second = table.insert(fresh()).unwrap();
        assert_eq!(table.insert(fresh()), Err(Errno::MFILE));
        table.close(first).unwrap();
        assert_eq!(table.close(first), Err(Errno::BADF));
        assert_eq!(table.insert(fresh()), Ok(first));
        assert!(table.get(second).is_ok() && table.get(7).is_err() && table.get(u32::MAX).is_err());
    }
}
