//! The socket descriptors of one guest.

use super::{Kind, Socket};
use crate::errno::Errno;

/// Descriptors from here on are sockets; those below belong to files and standard streams. Far above what a guest may
/// open in files, so the two never meet.
pub(crate) const FIRST_SOCKET: u32 = 1 << 16;

/// The sockets of one guest, by descriptor.
pub(crate) struct SocketTable {
    slots: Vec<Option<Socket>>,
    open: usize,
    limit: usize,
}

impl SocketTable {
    pub(crate) fn new(limit: usize) -> Self {
        Self { slots: Vec::new(), open: 0, limit }
    }

    /// Gives `socket` the lowest free descriptor, or says that the guest has too many (`EMFILE`).
    pub(crate) fn insert(&mut self, socket: Socket) -> Result<u32, Errno> {
        if self.open >= self.limit {
            return Err(Errno::MFILE);
        }
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

    /// Hands over the connections that another guest may answer sooner than this one, which computes.
    pub(crate) fn hand_over(&mut self) {
        for socket in self.slots.iter_mut().flatten() {
            if let Kind::Stream(stream) = &mut socket.kind {
                stream.hand_over();
            }
        }
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        let slot = index(fd).and_then(|index| self.slots.get_mut(index)).ok_or(Errno::BADF)?;
        slot.take().ok_or(Errno::BADF)?;
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
        let mut table = SocketTable::new(2);
        let first = table.insert(fresh()).unwrap();
        let second = table.insert(fresh()).unwrap();
        assert_eq!(table.insert(fresh()), Err(Errno::MFILE));
        table.close(first).unwrap();
        assert_eq!(table.close(first), Err(Errno::BADF));
        assert_eq!(table.insert(fresh()), Ok(first));
        assert!(table.get(second).is_ok() && table.get(7).is_err() && table.get(u32::MAX).is_err());
    }
}
