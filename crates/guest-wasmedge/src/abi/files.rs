//! Opens and renumbers files through wasmtime's WASI, within the application's descriptor limit.

use wasmtime::Caller;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as files, WasiSnapshotPreview1 as _};
use wiggle::GuestMemory;

use super::descriptor::HOSTCALL_FUEL;
use super::split;
use crate::errno::Errno;
use crate::state::GuestState;

/// Parameters of `path_open`, in the ABI's order.
pub(super) type PathOpen = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

pub(super) async fn path_open(
    mut caller: Caller<'_, GuestState>,
    (fd, lookup, path, len, open, rights, inherited, flags, out): PathOpen,
) -> wasmtime::Result<i32> {
    let (memory, state) = match split(&mut caller) {
        Ok(split) => split,
        Err(errno) => return Ok(errno.0.into()),
    };
    // Check the pointer first: a descriptor that cannot be reported would leak.
    if let Err(errno) = memory.u32(out.cast_unsigned()) {
        return Ok(errno.0.into());
    }
    let Some(permit) = state.descriptors.take() else {
        return Ok(Errno::MFILE.0.into());
    };
    state.wasi.set_hostcall_fuel(HOSTCALL_FUEL);
    let mut guest = GuestMemory::Unshared(&mut *memory.0);
    let opened =
        files::path_open(&mut state.wasi, &mut guest, fd, lookup, path, len, open, rights, inherited, flags, out)
            .await?;
    if opened == 0
        && let Ok(opened) = memory.u32(out.cast_unsigned())
    {
        state.files.insert(opened, permit);
    }
    Ok(opened)
}

pub(super) async fn renumber(mut caller: Caller<'_, GuestState>, from: u32, to: u32) -> wasmtime::Result<i32> {
    let (memory, state) = match split(&mut caller) {
        Ok(split) => split,
        Err(errno) => return Ok(errno.0.into()),
    };
    let mut guest = GuestMemory::Unshared(memory.0);
    let done = files::fd_renumber(&mut state.wasi, &mut guest, from.cast_signed(), to.cast_signed()).await?;
    if done == 0 && from != to {
        // The file that `to` named is closed.
        match state.files.remove(&from) {
            Some(permit) => state.files.insert(to, permit),
            None => state.files.remove(&to),
        };
    }
    Ok(done)
}
