//! Opening, binding, listening, accepting and connecting.

use std::net::SocketAddr;

use wasmtime::Caller;

use super::wait::until_ready;
use super::{Generation, address, split};
use crate::errno::Errno;
use crate::network::Connecting;
use crate::socket::{Datagram, Direction, Family, Kind, Socket, Stream};
use crate::state::GuestState;

pub(super) fn open(caller: &mut Caller<'_, GuestState>, family: u32, kind: u32, out: u32) -> Result<(), Errno> {
    let family = match family {
        1 => Family::V4,
        2 => Family::V6,
        _ => return Err(Errno::AFNOSUPPORT),
    };
    let kind = match kind {
        1 => Kind::Datagram(Datagram::new(family.unspecified())),
        0 | 2 => Kind::Fresh { bound: None },
        _ => return Err(Errno::INVAL),
    };
    let (mut memory, state) = split(caller)?;
    // Check the pointer first: a descriptor that cannot be reported would leak.
    memory.bytes(out, 4)?;
    let fd = state.sockets.insert(Socket::new(family, kind))?;
    memory.write_u32(out, fd)
}

pub(super) fn bind(caller: &mut Caller<'_, GuestState>, fd: u32, ptr: u32, port: u32) -> Result<(), Errno> {
    let (memory, state) = split(caller)?;
    let wanted = address::read(&memory, ptr, port)?;
    let socket = state.sockets.get_mut(fd)?;
    if Family::from_address(wanted) != socket.family {
        return Err(Errno::AFNOSUPPORT);
    }
    match &mut socket.kind {
        Kind::Fresh { bound } if bound.is_none() => {
            *bound = Some(wanted);
            Ok(())
        }
        Kind::Datagram(datagram) => {
            state.network.bind_datagram(wanted)?;
            datagram.bind(wanted).map_err(Errno::from)
        }
        _ => Err(Errno::INVAL),
    }
}

pub(super) fn listen(caller: &mut Caller<'_, GuestState>, fd: u32) -> Result<(), Errno> {
    let state = caller.data_mut();
    let socket = state.sockets.get_mut(fd)?;
    match &socket.kind {
        Kind::Listener(_) => Ok(()),
        Kind::Fresh { bound } => {
            let address = bound.unwrap_or_else(|| socket.family.unspecified());
            socket.kind = Kind::Listener(state.network.listen(address, &state.activity)?);
            Ok(())
        }
        Kind::Datagram(_) => Err(Errno::NOTSUP),
        _ => Err(Errno::INVAL),
    }
}

pub(super) async fn accept(caller: &mut Caller<'_, GuestState>, fd: u32, flags: u32, out: u32) -> Result<(), Errno> {
    loop {
        let (mut memory, state) = split(caller)?;
        memory.bytes(out, 4)?;
        let socket = state.sockets.get_mut(fd)?;
        socket.read_reported = false;
        let Kind::Listener(listener) = &mut socket.kind else { return Err(Errno::INVAL) };
        match listener.try_accept() {
            Ok(stream) => {
                let mut accepted = Socket::new(Family::from_address(stream.local()), Kind::Stream(stream));
                // Bit 2 is FDFLAGS_NONBLOCK.
                accepted.nonblocking = flags & 4 != 0;
                let accepted = state.sockets.insert(accepted)?;
                return memory.write_u32(out, accepted);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                until_ready(caller, fd, Direction::Read).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) async fn connect(caller: &mut Caller<'_, GuestState>, fd: u32, ptr: u32, port: u32) -> Result<(), Errno> {
    let nonblocking = begin_connect(caller, fd, ptr, port)?;
    if !matches!(caller.data().sockets.get(fd)?.kind, Kind::Connecting(_)) {
        return Ok(());
    }
    if nonblocking {
        return Err(Errno::INPROGRESS);
    }
    until_ready(caller, fd, Direction::Write).await?;
    match &mut caller.data_mut().sockets.get_mut(fd)?.kind {
        Kind::Failed(errno) => Err(errno.take().unwrap_or(Errno::CONNREFUSED)),
        _ => Ok(()),
    }
}

/// Starts connecting; returns whether the socket is non-blocking.
fn begin_connect(caller: &mut Caller<'_, GuestState>, fd: u32, ptr: u32, port: u32) -> Result<bool, Errno> {
    let (memory, state) = split(caller)?;
    let peer = address::read(&memory, ptr, port)?;
    let socket = state.sockets.get_mut(fd)?;
    if Family::from_address(peer) != socket.family {
        return Err(Errno::AFNOSUPPORT);
    }
    match &mut socket.kind {
        Kind::Fresh { .. } | Kind::Failed(_) => {
            socket.kind = match state.network.connect(reachable(peer)) {
                Ok(Connecting::Done(stream)) => Kind::Stream(stream),
                Ok(Connecting::Waiting(connecting)) => Kind::Connecting(connecting),
                // Report a denial as a failed connect, later: guests are written for networks on which no connect fails
                // at once.
                Err(error) => Kind::Connecting(Box::pin(async { Err(error) })),
            };
        }
        Kind::Datagram(datagram) => {
            state.network.send_datagram(peer)?;
            datagram.connect(peer);
        }
        Kind::Connecting(_) => return Err(Errno::ALREADY),
        Kind::Stream(_) => return Err(Errno::ISCONN),
        Kind::Listener(_) => return Err(Errno::INVAL),
    }
    Ok(socket.nonblocking)
}

/// Replaces the unspecified address by loopback, as Linux does on connect.
fn reachable(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (std::net::Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}

pub(super) fn shutdown(caller: &mut Caller<'_, GuestState>, fd: u32, how: u32) -> Result<(), Errno> {
    let (read, write) = match how {
        1 => (true, false),
        2 => (false, true),
        3 => (true, true),
        _ => return Err(Errno::INVAL),
    };
    match &mut caller.data_mut().sockets.get_mut(fd)?.kind {
        Kind::Stream(stream) => Stream::shutdown(stream, read, write).map_err(Errno::from),
        Kind::Listener(_) => Ok(()),
        _ => Err(Errno::NOTCONN),
    }
}

/// `sock_getlocaladdr` and, with `peer`, `sock_getpeeraddr`.
///
/// The first generation also writes the family, as 4 or 6.
pub(super) fn name(
    caller: &mut Caller<'_, GuestState>,
    peer: bool,
    fd: u32,
    ptr: u32,
    family: Option<u32>,
    port: u32,
) -> Result<(), Errno> {
    let (mut memory, state) = split(caller)?;
    let socket = state.sockets.get(fd)?;
    let found = if peer { socket.peer()? } else { socket.local() };
    let generation = if family.is_some() { Generation::V1 } else { Generation::V2 };
    address::write(&mut memory, generation, ptr, found)?;
    if let Some(family) = family {
        memory.write_u32(family, if found.is_ipv4() { 4 } else { 6 })?;
    }
    memory.write_u32(port, found.port().into())
}
