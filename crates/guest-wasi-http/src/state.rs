//! Data of one instance.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use guest_engine::InstanceMemory;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::nn::{self, Nn};
use crate::outbound::Hooks;

/// Data behind the host's own imports, besides WASI.
pub trait Imports: Send + 'static {
    /// Called before the instance handles a request from `peer`.
    fn start_request(&mut self, peer: Option<IpAddr>);
}

/// Data of an instance's store.
pub struct State<I> {
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) table: ResourceTable,
    pub(crate) hooks: Hooks,
    pub(crate) limits: InstanceMemory,
    pub(crate) config: Arc<WasiConfigVariables>,
    pub(crate) nn: Nn,
    /// Computing time of models for the instance's current request.
    pub(crate) computed: Duration,
    pub(crate) imports: I,
}

impl<I> State<I> {
    /// Returns the data behind the host's own imports.
    pub const fn imports(&mut self) -> &mut I {
        &mut self.imports
    }
}

impl<I: Send> WasiView for State<I> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl<I: Send> WasiHttpView for State<I> {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Adds WASI, `wasi:config` with the environment, `wasi:nn` with the operator's graphs, and outgoing HTTP.
///
/// Sockets cannot connect; HTTP goes through the host's [`Outbound`](crate::Outbound).
pub(crate) fn add_to_linker<I: Imports>(linker: &mut Linker<State<I>>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    nn::add_to_linker(linker)?;
    wasmtime_wasi_config::add_to_linker(linker, |state| WasiConfig::new(&state.config))?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}
