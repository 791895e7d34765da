//! Sending: `sock_send`, `sock_send_to`, and `fd_write` on a socket.

use wasmtime::Caller;

use super::wait::until_ready;
use super::{address, split};
use crate::errno::Errno;
use crate::socket::{Direction, Kind};
use crate::state::GuestState;

pub(super) async fn send(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    iovecs: u32,
    iovec_count: u32,
    count: u32,
) -> Result<(), Errno> {
    loop {
        match attempt(caller, fd, iovecs, iovec_count, None) {
            Ok(sent) => {
                let (mut memory, state) = split(caller)?;
                memory.write_u32(count, sent.bytes)?;
                state.meter.record_progress();
                if sent.is_to_host {
                    // Let the host task that reads this run first. It would be next on this very thread, no other
                    // thread steals it, and the guest may compute on without yielding.
                    tokio::task::yield_now().await;
                }
                return Ok(());
            }
            Err(Errno::AGAIN) => until_ready(caller, fd, Direction::Write).await?,
            Err(errno) => return Err(errno),
        }
    }
}

pub(super) async fn send_to(
    caller: &mut Caller<'_, GuestState>,
    (fd, iovecs, iovec_count): (u32, u32, u32),
    (receiver, port): (u32, u32),
    count: u32,
) -> Result<(), Errno> {
    loop {
        match attempt(caller, fd, iovecs, iovec_count, Some((receiver, port))) {
            Ok(sent) => return split(caller)?.0.write_u32(count, sent.bytes),
            Err(Errno::AGAIN) => until_ready(caller, fd, Direction::Write).await?,
            Err(errno) => return Err(errno),
        }
    }
}

struct Sent {
    bytes: u32,
    /// True if the peer is a host task in this process.
    is_to_host: bool,
}

fn attempt(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    iovecs: u32,
    iovec_count: u32,
    receiver: Option<(u32, u32)>,
) -> Result<Sent, Errno> {
    let (memory, state) = split(caller)?;
    let buffers = memory.gather(iovecs, iovec_count)?;
    let socket = state.sockets.get_mut(fd)?;
    let (sent, is_to_host) = match &mut socket.kind {
        Kind::Datagram(datagram) => {
            let peer = match receiver {
                Some((ptr, port)) => address::read(&memory, ptr, port)?,
                None => datagram.peer().ok_or(Errno::DESTADDRREQ)?,
            };
            state.network.send_datagram(peer)?;
            let whole: usize = buffers.iter().map(|buffer| buffer.len()).sum();
            // The largest UDP payload there is.
            if whole > 65_507 {
                return Err(Errno::MSGSIZE);
            }
            let sent = match buffers.as_slice() {
                [one] => datagram.try_send(one, peer),
                many => {
                    datagram.try_send(&many.iter().flat_map(|buffer| buffer.iter().copied()).collect::<Vec<_>>(), peer)
                }
            };
            (sent, false)
        }
        _ => {
            let stream = socket.stream()?;
            (stream.try_write(&buffers), stream.is_to_host())
        }
    };
    match sent {
        Ok(sent) => Ok(Sent { bytes: u32::try_from(sent).map_err(|_| Errno::IO)?, is_to_host }),
        Err(error) => {
            if error.kind() == std::io::ErrorKind::WouldBlock {
                socket.write_reported = false;
            }
            Err(error.into())
        }
    }
}
