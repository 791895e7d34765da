//! The socket descriptors of one guest.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::watch::Watch;
use super::{Direction, Kind, Socket, Stream};
use crate::descriptors::DescriptorBudget;
use crate::errno::Errno;

/// Descriptors from here on are sockets; those below belong to files and standard streams. Far above what a guest may
/// open in files, so the two never meet.
pub(crate) const FIRST_SOCKET: u32 = 1 << 16;

/// The requests that a guest begins at once, before others wait at the door: what it has begun nobody can take from it, and where
/// each takes a second, the last would wait too long. One that has nothing else to do takes more.
const MAX_BEGUN: usize = 8;

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

    /// Gives `socket` the lowest free descriptor, or says that the application has too many (`EMFILE`).
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

    /// The socket that the guest is about to read from. Another guest may have got the connection before the next request on it
    /// is begun.
    pub(crate) fn for_reading(&mut self, fd: u32) -> Result<&mut Socket, Errno> {
        let Self { slots, watch, .. } = self;
        let socket = index(fd).and_then(|index| slots.get_mut(index)).and_then(Option::as_mut).ok_or(Errno::BADF)?;
        if let Kind::Stream(stream) = &mut socket.kind
            && stream.is_better_off_elsewhere()
        {
            watch.forget(stream);
            stream.hand_over();
        }
        Ok(socket)
    }

    /// Ready with what `find` finds. It is asked again whenever something has happened on one of the sockets that it has
    /// polled.
    pub(crate) fn poll_until<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut find: impl FnMut(&mut Self, &mut Context<'_>) -> Option<T>,
    ) -> Poll<T> {
        loop {
            self.look();
            if let Some(found) = find(self, cx) {
                self.watch.rest();
                return Poll::Ready(found);
            }
            ready!(self.watch.poll(cx));
        }
    }

    /// Ready when `fd` is, or will never be. Within [`poll_until`](Self::poll_until).
    pub(crate) fn poll(&mut self, fd: u32, direction: Direction, cx: &mut Context<'_>) -> Result<Poll<()>, Errno> {
        let place = index(fd).ok_or(Errno::BADF)?;
        if matches!(direction, Direction::Read) {
            self.for_reading(fd)?;
        }
        let is_laden = self.is_wanted(place) && self.is_laden();
        let socket = self.slots.get_mut(place).and_then(Option::as_mut).ok_or(Errno::BADF)?;
        if let Kind::Listener(listener) = &mut socket.kind {
            listener.set_laden(is_laden);
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

    /// Whether connections wait for the listener at `place`.
    fn is_wanted(&self, place: usize) -> bool {
        let socket = self.slots.get(place).and_then(Option::as_ref);
        matches!(socket, Some(Socket { kind: Kind::Listener(listener), .. }) if listener.is_wanted())
    }

    /// Whether the guest has begun as many requests as it should have at once.
    fn is_laden(&mut self) -> bool {
        let streams = self.slots.iter_mut().flatten().filter_map(|socket| match &mut socket.kind {
            Kind::Stream(stream) => Some(stream),
            _ => None,
        });
        streams.filter_map(|stream| stream.has_begun().then_some(())).take(MAX_BEGUN).count() >= MAX_BEGUN
    }

    /// Sees what has happened on the TCP connections.
    fn look(&mut self) {
        let Self { slots, watch, .. } = self;
        watch.look(|place, event| {
            if let Some(Some(Socket { kind: Kind::Stream(stream), .. })) = slots.get_mut(place) {
                stream.saw(event);
            }
        });
    }

    /// Hands over the connections that another guest may answer sooner than this one, which computes. Requests that are begun
    /// cannot be: of several, all but one are held up. Nobody knows which, and any will do.
    pub(crate) fn hand_over(&mut self) {
        let Self { slots, watch, .. } = self;
        let mut begun: Vec<&mut Stream> = Vec::new();
        for socket in slots.iter_mut().flatten() {
            let Kind::Stream(stream) = &mut socket.kind else { continue };
            if stream.can_be_handed_over() {
                watch.forget(stream);
                stream.hand_over();
            } else if stream.has_begun() {
                begun.push(stream);
            }
        }
        // The others are to leave, if they can, and not all of them: the one that stays is in nobody's way then.
        begun.into_iter().skip(1).for_each(Stream::hold_up);
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        let slot = index(fd).and_then(|index| self.slots.get_mut(index)).ok_or(Errno::BADF)?;
        let mut socket = slot.take().ok_or(Errno::BADF)?;
        if let Kind::Stream(stream) = &mut socket.kind {
            self.watch.forget(stream);
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
    fn a_closed_descriptor_is_the_next_to_be_given_out_and_the_limit_holds() {
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
