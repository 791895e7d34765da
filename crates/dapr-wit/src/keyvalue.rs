//! `wasi:keyvalue` from Dapr's state, in both drafts: the first, which wasmtime speaks, and the second.
//!
//! A bucket is a state store by its name; the empty name and `default` are the application's only one. What one application
//! writes, only it reads, unless the store's `keyPrefix` says otherwise. Dapr's state cannot list keys.

mod bucket;
mod first;
mod second;
mod shared;

use wasmtime::component::{HasSelf, Linker};

use crate::DaprWit;

/// Lets components import both drafts.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut DaprWit,
) -> wasmtime::Result<()> {
    first::Imports::add_to_linker::<T, HasSelf<DaprWit>>(linker, of)?;
    second::Imports::add_to_linker::<T, HasSelf<DaprWit>>(linker, of)
}

/// What both drafts say where they cannot list.
const UNLISTED: &str = "Dapr's state stores cannot list their keys";
