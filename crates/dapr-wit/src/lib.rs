//! Dapr's building blocks as functions: the interfaces of `wit/runtime`, and `wasi:keyvalue` from Dapr's state, in front of a
//! [`Sidecar`].
//!
//! A face like Dapr's HTTP API, without the HTTP: it translates, and keeps nothing. One module for each building block.

mod bindings;
mod contract;
mod error;
mod invoke;
mod keyvalue;
mod metadata;
mod request;
mod secrets;
mod state;

use std::net::IpAddr;
use std::sync::Arc;

use sidecar::Sidecar;
use wasmtime::component::{HasSelf, Linker, ResourceTable};

/// What one instance of an application has of Dapr.
pub struct DaprWit {
    sidecar: Arc<Sidecar>,
    peer: Option<IpAddr>,
    /// What the instance holds handles of.
    table: ResourceTable,
}

impl DaprWit {
    /// The interfaces in front of `sidecar`.
    #[must_use]
    pub fn new(sidecar: Arc<Sidecar>) -> Self {
        Self { sidecar, peer: None, table: ResourceTable::new() }
    }

    /// The instance is about to answer a request of `peer`.
    pub const fn set_peer(&mut self, peer: Option<IpAddr>) {
        self.peer = peer;
    }
}

/// Lets components import `dapr:runtime` and `wasi:keyvalue`; `of` finds the instance's own face in the data of its store.
///
/// # Errors
/// When the linker has such interfaces already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut DaprWit,
) -> wasmtime::Result<()> {
    contract::Application::add_to_linker::<T, HasSelf<DaprWit>>(linker, of)?;
    keyvalue::add_to_linker(linker, of)
}
