//! Dapr's building blocks as WIT functions, in front of a [`Sidecar`].
//!
//! The interfaces are those of `wit/runtime`, and `wasi:keyvalue` on Dapr's state.
//!
//! An API like Dapr's over HTTP, without the HTTP: it translates, and keeps no state. One module for each building
//! block.

mod bindings;
mod configuration;
mod contract;
mod error;
mod invoke;
mod keyvalue;
mod lock;
mod metadata;
mod pubsub;
mod request;
mod secrets;
mod state;

use std::net::IpAddr;
use std::sync::Arc;

use dapr_runtime::Sidecar;
use wasmtime::component::{HasSelf, Linker, ResourceTable};

/// The Dapr imports of one instance of an application.
pub struct DaprWit {
    sidecar: Arc<Sidecar>,
    peer: Option<IpAddr>,
    /// Resources that the instance holds handles of.
    table: ResourceTable,
}

impl DaprWit {
    /// Creates the interfaces in front of `sidecar`.
    #[must_use]
    pub fn new(sidecar: Arc<Sidecar>) -> Self {
        Self { sidecar, peer: None, table: ResourceTable::new() }
    }

    /// Sets the peer of the request that the instance is about to handle.
    pub const fn set_peer(&mut self, peer: Option<IpAddr>) {
        self.peer = peer;
    }
}

/// Lets components import `dapr:runtime` and `wasi:keyvalue`.
///
/// `of` finds the instance's own [`DaprWit`] in the data of its store.
///
/// # Errors
/// When the linker already has such interfaces.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut DaprWit,
) -> wasmtime::Result<()> {
    contract::Application::add_to_linker::<T, HasSelf<DaprWit>>(linker, of)?;
    keyvalue::add_to_linker(linker, of)
}
