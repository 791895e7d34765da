//! `wasi:keyvalue` on Dapr's state, in both drafts: the first, which wasmtime implements, and the second.
//!
//! A bucket is a state store by its name; the empty name and `default` mean the application's only one. Keys are
//! private to the application that writes them, unless the store's `keyPrefix` says otherwise. Dapr's state cannot list
//! keys.

mod bucket;
mod draft1;
mod draft2;
mod shared;

use wasmtime::component::{HasSelf, Linker};

use crate::DaprWit;

/// Lets components import both drafts.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut DaprWit,
) -> wasmtime::Result<()> {
    draft1::Imports::add_to_linker::<T, HasSelf<DaprWit>>(linker, of)?;
    draft2::Imports::add_to_linker::<T, HasSelf<DaprWit>>(linker, of)
}

/// Error of both drafts for listing keys.
const LISTING_UNSUPPORTED: &str = "Dapr's state stores cannot list their keys";
