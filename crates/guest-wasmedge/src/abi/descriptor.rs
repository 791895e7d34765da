//! WASI functions on descriptors: sockets are handled here, files by wasmtime's WASI.
//!
//! Standard output and standard error go to the host's log.

use std::time::{SystemTime, UNIX_EPOCH};

use wasmtime::Caller;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as files, WasiSnapshotPreview1 as _};
use wiggle::GuestMemory;

use super::receive::{self, Out};
use super::{send, split};
use crate::errno::Errno;
use crate::memory::MAX_IOVECS;
use crate::socket::{FIRST_SOCKET, Kind};
use crate::state::GuestState;
use guest_engine::OutputStream;

/// Maximum bytes that one call makes wasmtime's WASI copy from the guest; its own default.
pub(super) const HOSTCALL_FUEL: usize = 128 << 20;

/// File types of `__wasi_filetype_t` that sockets have.
const SOCKET_DGRAM: u8 = 5;
const SOCKET_STREAM: u8 = 6;
/// `FDFLAGS_NONBLOCK`.
const NONBLOCK: u32 = 4;

/// Maximum bytes printed by one call; a guest that prints more sees a short write.
const MAX_PRINTED: usize = 64 << 10;

/// Bytes of randomness generated before yielding to other tasks.
const RANDOM_CHUNK: u32 = 256 << 10;

type HostResult = wasmtime::Result<i32>;

/// Forwards a call on a file to wasmtime's WASI.
macro_rules! to_files {
    ($caller:ident, $function:ident($($argument:expr),*)) => {
        match split(&mut $caller) {
            Ok((memory, state)) => {
                state.wasi.set_hostcall_fuel(HOSTCALL_FUEL);
                files::$function(&mut state.wasi, &mut GuestMemory::Unshared(memory.0), $($argument.cast_signed()),*).await
            }
            Err(errno) => Ok(errno.0.into()),
        }
    };
}

pub(super) async fn close(mut caller: Caller<'_, GuestState>, fd: u32) -> HostResult {
    if fd >= FIRST_SOCKET {
        return Ok(Errno::code(caller.data_mut().sockets.close(fd)));
    }
    let closed = to_files!(caller, fd_close(fd));
    if matches!(closed, Ok(0)) {
        caller.data_mut().files.remove(&fd);
    }
    closed
}

pub(super) async fn read(
    mut caller: Caller<'_, GuestState>,
    fd: u32,
    iovecs: u32,
    iovec_count: u32,
    count: u32,
) -> HostResult {
    if fd >= FIRST_SOCKET {
        let out = Out { count, flags: None };
        return Ok(Errno::code(receive::receive(&mut caller, fd, iovecs, iovec_count, 0, out).await));
    }
    to_files!(caller, fd_read(fd, iovecs, iovec_count, count))
}

pub(super) async fn write(
    mut caller: Caller<'_, GuestState>,
    fd: u32,
    iovecs: u32,
    iovec_count: u32,
    count: u32,
) -> HostResult {
    match fd {
        1 => Ok(Errno::code(print(&mut caller, OutputStream::Stdout, iovecs, iovec_count, count))),
        2 => Ok(Errno::code(print(&mut caller, OutputStream::Stderr, iovecs, iovec_count, count))),
        FIRST_SOCKET.. => Ok(Errno::code(send::send(&mut caller, fd, iovecs, iovec_count, count).await)),
        _ => to_files!(caller, fd_write(fd, iovecs, iovec_count, count)),
    }
}

fn print(
    caller: &mut Caller<'_, GuestState>,
    stream: OutputStream,
    iovecs: u32,
    iovec_count: u32,
    count: u32,
) -> Result<(), Errno> {
    if iovec_count > MAX_IOVECS {
        return Err(Errno::INVAL);
    }
    let (mut memory, state) = split(caller)?;
    let mut printed = 0;
    for index in 0..iovec_count {
        let (ptr, len) = memory.iovec(iovecs, index)?;
        let bytes = memory.bytes(ptr, len)?;
        let taken = bytes.get(..MAX_PRINTED - printed).unwrap_or(bytes);
        state.output.print(stream, taken);
        printed += taken.len();
        if taken.len() < bytes.len() {
            break;
        }
    }
    memory.write_u32(count, u32::try_from(printed).map_err(|_| Errno::FAULT)?)
}

/// `random_get`, in chunks that yield in between.
pub(super) async fn random(mut caller: Caller<'_, GuestState>, buffer: u32, length: u32) -> HostResult {
    if let Err(errno) = split(&mut caller).and_then(|(memory, _)| memory.bytes(buffer, length).map(drop)) {
        return Ok(errno.0.into());
    }
    let mut done = 0;
    while done < length {
        let piece = RANDOM_CHUNK.min(length - done);
        let filled = match split(&mut caller) {
            Ok((memory, state)) => {
                let (mut memory, Some(start)) = (GuestMemory::Unshared(memory.0), buffer.checked_add(done)) else {
                    return Ok(Errno::FAULT.0.into());
                };
                files::random_get(&mut state.wasi, &mut memory, start.cast_signed(), piece.cast_signed())?
            }
            Err(errno) => errno.0.into(),
        };
        if filled != 0 {
            return Ok(filled);
        }
        done += piece;
        if done < length {
            tokio::task::yield_now().await;
        }
    }
    Ok(0)
}

pub(super) async fn status(mut caller: Caller<'_, GuestState>, fd: u32, out: u32) -> HostResult {
    if fd >= FIRST_SOCKET {
        return Ok(Errno::code(socket_status(&mut caller, fd, out)));
    }
    to_files!(caller, fd_fdstat_get(fd, out))
}

/// Writes a `__wasi_fdstat_t`: type, flags, and all rights, which nothing here checks.
fn socket_status(caller: &mut Caller<'_, GuestState>, fd: u32, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = split(caller)?;
    let socket = state.sockets.get(fd)?;
    let kind = if matches!(socket.kind, Kind::Datagram(_)) { SOCKET_DGRAM } else { SOCKET_STREAM };
    let flags = if socket.nonblocking { NONBLOCK as u8 } else { 0 };
    let mut status = [0xff_u8; 24];
    let head = [kind, 0, flags, 0, 0, 0, 0, 0];
    status.iter_mut().zip(head).for_each(|(to, from)| *to = from);
    memory.write(out, &status)
}

pub(super) async fn set_flags(mut caller: Caller<'_, GuestState>, fd: u32, flags: u32) -> HostResult {
    if fd >= FIRST_SOCKET {
        let set = caller.data_mut().sockets.get_mut(fd).map(|socket| socket.nonblocking = flags & NONBLOCK != 0);
        return Ok(Errno::code(set));
    }
    match split(&mut caller) {
        Ok((memory, state)) => {
            let mut memory = GuestMemory::Unshared(memory.0);
            files::fd_fdstat_set_flags(&mut state.wasi, &mut memory, fd.cast_signed(), flags.cast_signed())
        }
        Err(errno) => Ok(errno.0.into()),
    }
}

pub(super) async fn file_status(mut caller: Caller<'_, GuestState>, fd: u32, out: u32) -> HostResult {
    if fd >= FIRST_SOCKET {
        return Ok(Errno::code(socket_file_status(&mut caller, fd, out)));
    }
    to_files!(caller, fd_filestat_get(fd, out))
}

/// Writes a `__wasi_filestat_t` with nothing but the file type set.
fn socket_file_status(caller: &mut Caller<'_, GuestState>, fd: u32, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = split(caller)?;
    let kind = if matches!(state.sockets.get(fd)?.kind, Kind::Datagram(_)) { SOCKET_DGRAM } else { SOCKET_STREAM };
    let mut status = [0_u8; 64];
    if let Some(slot) = status.get_mut(16) {
        *slot = kind;
    }
    memory.write(out, &status)
}

/// `clock_time_get` for the two clocks that `poll_oneoff` knows; both count from the same moment.
pub(super) fn now(caller: &mut Caller<'_, GuestState>, clock: u32, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = split(caller)?;
    let time = match clock {
        0 => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        // The guest's processor time is not measured separately; the time since its start is an upper bound.
        1..=3 => state.started.elapsed(),
        _ => return Err(Errno::INVAL),
    };
    memory.write_u64(out, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}
