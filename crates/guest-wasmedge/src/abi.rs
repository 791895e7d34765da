//! The host functions of WasmEdge's socket ABI, of WASI preview 1 on sockets, and of `wasi-nn`.
//!
//! The ABI is WasmEdge's `lib/host/wasi/wasimodule.cpp` with the layouts of `thirdparty/wasi/api.hpp`. Two generations
//! of some functions share a name and differ in their parameters; [`link`] chooses between them by the types of the
//! module's imports.

mod address;
mod connect;
mod descriptor;
mod files;
mod link;
mod lookup;
mod nn;
mod options;
mod poll;
mod receive;
mod send;
mod services;
mod wait;

pub(crate) use link::{add_to_linker, resolve};

use wasmtime::Caller;

use crate::errno::Errno;
use crate::memory::Memory;
use crate::state::GuestState;

/// The two generations of functions that share a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    /// Addresses are the bare octets of an IP address.
    V1,
    /// Addresses are 128 bytes: a 16-bit family, then the octets; as in later WasmEdge and WASI's own `sock_accept`.
    V2,
}

/// Borrows the guest's memory and the rest of its state together.
fn split<'a>(caller: &'a mut Caller<'_, GuestState>) -> Result<(Memory<'a>, &'a mut GuestState), Errno> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        None => {
            let exported = caller.get_export("memory").and_then(wasmtime::Extern::into_memory).ok_or(Errno::FAULT)?;
            caller.data_mut().memory = Some(exported);
            exported
        }
    };
    let (bytes, state) = memory.data_and_store_mut(caller);
    Ok((Memory(bytes), state))
}
