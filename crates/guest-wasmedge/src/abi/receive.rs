//! Receiving: `sock_recv`, `sock_recv_from`, and `fd_read` on a socket.

use std::net::SocketAddr;

use wasmtime::Caller;

use super::wait::until_ready;
use super::{Generation, address, split};
use crate::errno::Errno;
use crate::memory::MAX_IOVECS;
use crate::socket::{Direction, Kind};
use crate::state::GuestState;

/// `RIFLAGS_RECV_PEEK` and `RIFLAGS_RECV_WAITALL`.
const PEEK: u32 = 1;
const WAIT_ALL: u32 = 2;

/// Pointers into the guest's memory for the results.
#[derive(Clone, Copy)]
pub(super) struct Out {
    pub(super) count: u32,
    /// Absent for `fd_read`.
    pub(super) flags: Option<u32>,
}

struct Received {
    count: u32,
    from: Option<SocketAddr>,
}

pub(super) async fn receive(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    iovecs: u32,
    iovec_count: u32,
    flags: u32,
    out: Out,
) -> Result<(), Errno> {
    receive_from(caller, fd, iovecs, iovec_count, flags, out).await.map(drop)
}

/// `sock_recv_from`: like [`receive`], and writes the sender's address to `sender`.
///
/// The second generation also has its port written to `port`.
pub(super) async fn receive_with_sender(
    caller: &mut Caller<'_, GuestState>,
    (fd, iovecs, iovec_count, flags): (u32, u32, u32, u32),
    sender: u32,
    port: Option<u32>,
    out: Out,
) -> Result<(), Errno> {
    let from = receive_from(caller, fd, iovecs, iovec_count, flags, out).await?;
    let (mut memory, state) = split(caller)?;
    let from = match from {
        Some(from) => from,
        None => state.sockets.get(fd)?.peer()?,
    };
    let generation = if port.is_some() { Generation::V2 } else { Generation::V1 };
    address::write(&mut memory, generation, sender, from)?;
    match port {
        Some(port) => memory.write_u32(port, from.port().into()),
        None => Ok(()),
    }
}

async fn receive_from(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    iovecs: u32,
    iovec_count: u32,
    flags: u32,
    out: Out,
) -> Result<Option<SocketAddr>, Errno> {
    if iovec_count > MAX_IOVECS {
        return Err(Errno::INVAL);
    }
    let mut before = 0;
    loop {
        match attempt(caller, fd, iovecs, iovec_count, flags, before) {
            Ok(received) => {
                let total = before + received.count;
                if received.count > 0 {
                    caller.data_mut().meter.record_progress();
                }
                let ended = received.count == 0 || received.from.is_some() || flags & WAIT_ALL == 0;
                if ended || flags & PEEK != 0 || total >= capacity(caller, iovecs, iovec_count)? {
                    let (mut memory, _) = split(caller)?;
                    memory.write_u32(out.count, total)?;
                    if let Some(flags) = out.flags {
                        // Always zero: truncation of a datagram is not reported.
                        memory.write(flags, &0_u16.to_le_bytes())?;
                    }
                    return Ok(received.from);
                }
                before = total;
            }
            Err(Errno::AGAIN) => until_ready(caller, fd, Direction::Read).await?,
            Err(errno) => return Err(errno),
        }
    }
}

/// Reads available bytes into the buffers, past their first `skip` bytes.
fn attempt(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    iovecs: u32,
    iovec_count: u32,
    flags: u32,
    mut skip: u32,
) -> Result<Received, Errno> {
    let (mut memory, state) = split(caller)?;
    let socket = state.sockets.for_reading(fd)?;
    socket.read_reported = false;
    if let Kind::Datagram(datagram) = &socket.kind {
        // A datagram goes into the first buffer; the published crates pass just one.
        let (ptr, len) = if iovec_count == 0 { (0, 0) } else { memory.iovec(iovecs, 0)? };
        let (count, from) = datagram.try_receive(memory.bytes_mut(ptr, len)?, flags & PEEK != 0)?;
        return Ok(Received { count: count as u32, from: Some(from) });
    }
    let stream = socket.stream()?;
    let mut count = 0_u32;
    for index in 0..iovec_count {
        let (ptr, len) = memory.iovec(iovecs, index)?;
        let hidden = skip.min(len);
        skip -= hidden;
        let buffer = memory.bytes_mut(ptr, len)?.get_mut(hidden as usize..).unwrap_or_default();
        if buffer.is_empty() {
            continue;
        }
        let wanted = buffer.len();
        let read = if flags & PEEK != 0 { stream.try_peek(buffer) } else { stream.try_read(buffer) };
        match read {
            Ok(read) => {
                count = count.saturating_add(read as u32);
                if read < wanted || flags & PEEK != 0 {
                    break;
                }
            }
            Err(_) if count > 0 => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Received { count, from: None })
}

fn capacity(caller: &mut Caller<'_, GuestState>, iovecs: u32, iovec_count: u32) -> Result<u32, Errno> {
    let (memory, _) = split(caller)?;
    (0..iovec_count).try_fold(0_u32, |sum, index| Ok(sum.saturating_add(memory.iovec(iovecs, index)?.1)))
}
