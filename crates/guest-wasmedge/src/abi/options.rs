//! `sock_getsockopt` and `sock_setsockopt`, at `SOL_SOCKET`, the ABI's only level.

use std::time::Duration;

use wasmtime::Caller;

use super::split;
use crate::errno::Errno;
use crate::memory::{Memory, at};
use crate::socket::Kind;
use crate::state::GuestState;

/// Reported size of a socket's buffers, in bytes.
const REPORTED_BUFFER: u32 = 256 * 1024;

/// `__wasi_sock_opt_so_t` of WasmEdge's api.hpp.
mod option {
    pub(super) const TYPE: u32 = 1;
    pub(super) const ERROR: u32 = 2;
    pub(super) const BROADCAST: u32 = 4;
    pub(super) const LINGER: u32 = 9;
    pub(super) const SEND_BUFFER: u32 = 5;
    pub(super) const RECEIVE_BUFFER: u32 = 6;
    pub(super) const RECEIVE_TIMEOUT: u32 = 11;
    pub(super) const SEND_TIMEOUT: u32 = 12;
    pub(super) const ACCEPTS: u32 = 13;
    pub(super) const BIND_TO_DEVICE: u32 = 14;
}

pub(super) fn get(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    (level, name): (u32, u32),
    value: u32,
    len: u32,
) -> Result<(), Errno> {
    let (mut memory, state) = split(caller)?;
    let room = memory.u32(len)?;
    let socket = state.sockets.get_mut(fd)?;
    if level != 0 {
        return Err(Errno::NOPROTOOPT);
    }
    let number = match name {
        option::RECEIVE_TIMEOUT => return write_time(&mut memory, value, len, socket.receive_timeout),
        option::SEND_TIMEOUT => return write_time(&mut memory, value, len, socket.send_timeout),
        option::BIND_TO_DEVICE => return memory.write_u32(len, 0),
        option::LINGER => {
            // An on/off flag, then seconds.
            if room < 8 {
                return Err(Errno::INVAL);
            }
            let [on, seconds] = socket.options.linger;
            memory.write_u32(value, on)?;
            memory.write_u32(at(value, 1, 4)?, seconds)?;
            return memory.write_u32(len, 8);
        }
        option::TYPE => {
            if matches!(socket.kind, Kind::Datagram(_)) {
                1
            } else {
                2
            }
        }
        option::ERROR => match &mut socket.kind {
            Kind::Failed(errno) => errno.take().map_or(0, |errno| errno.0.into()),
            _ => 0,
        },
        option::ACCEPTS => u32::from(matches!(socket.kind, Kind::Listener(_))),
        name @ (option::SEND_BUFFER | option::RECEIVE_BUFFER) => match socket.options.number(name) {
            0 => REPORTED_BUFFER,
            // Doubled, as Linux reports it.
            size => size.saturating_mul(2),
        },
        name @ 0..=14 => socket.options.number(name),
        _ => return Err(Errno::NOPROTOOPT),
    };
    if room < 4 {
        return Err(Errno::INVAL);
    }
    memory.write_u32(value, number)?;
    memory.write_u32(len, 4)
}

pub(super) fn set(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    (level, name): (u32, u32),
    value: u32,
    len: u32,
) -> Result<(), Errno> {
    let (memory, state) = split(caller)?;
    let socket = state.sockets.get_mut(fd)?;
    if level != 0 {
        return Err(Errno::NOPROTOOPT);
    }
    match name {
        option::RECEIVE_TIMEOUT => socket.receive_timeout = read_time(&memory, value, len)?,
        option::SEND_TIMEOUT => socket.send_timeout = read_time(&memory, value, len)?,
        option::BROADCAST if number(&memory, value, len)? != 0 => return Err(Errno::ACCES),
        option::BIND_TO_DEVICE => return Err(Errno::NOTSUP),
        option::TYPE | option::ERROR | option::ACCEPTS => return Err(Errno::NOPROTOOPT),
        option::LINGER => {
            if len < 8 {
                return Err(Errno::INVAL);
            }
            socket.options.linger = [memory.u32(value)?, memory.u32(at(value, 1, 4)?)?];
        }
        // Hints without effect, except that they can be read back: address reuse, keep-alive, buffer sizes.
        name @ 0..=14 => socket.options.set(name, number(&memory, value, len)?),
        _ => return Err(Errno::NOPROTOOPT),
    }
    Ok(())
}

/// Reads a 32-bit number, the type of most options.
fn number(memory: &Memory<'_>, ptr: u32, len: u32) -> Result<u32, Errno> {
    if len < 4 { Err(Errno::INVAL) } else { memory.u32(ptr) }
}

/// Reads wasi-libc's `timeval`: 64-bit seconds, then microseconds in 32 or 64 bits. Zero means no limit.
fn read_time(memory: &Memory<'_>, ptr: u32, len: u32) -> Result<Option<Duration>, Errno> {
    if len < 12 {
        return Err(Errno::INVAL);
    }
    let micros = Duration::from_micros(memory.u32(at(ptr, 1, 8)?)?.into());
    let time = Duration::from_secs(memory.u64(ptr)?).saturating_add(micros);
    Ok((!time.is_zero()).then_some(time))
}

fn write_time(memory: &mut Memory<'_>, ptr: u32, len: u32, time: Option<Duration>) -> Result<(), Errno> {
    if memory.u32(len)? < 16 {
        return Err(Errno::INVAL);
    }
    let time = time.unwrap_or_default();
    memory.write_u64(ptr, time.as_secs())?;
    memory.write_u64(at(ptr, 1, 8)?, time.subsec_micros().into())?;
    memory.write_u32(len, 16)
}
