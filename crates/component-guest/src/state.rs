//! Everything that belongs to one instance.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use wasm_engine::InstanceMemory;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::nn::{self, Nn};
use crate::outbound::Hooks;

/// What the host gives to instances beside WASI: the data behind the imports that it has linked.
pub trait Imports: Send + 'static {
    /// The instance is about to answer a request of `peer`.
    fn request_begins(&mut self, peer: Option<IpAddr>);
}

/// The data of an instance's store.
pub struct State<I> {
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) table: ResourceTable,
    pub(crate) hooks: Hooks,
    pub(crate) limits: InstanceMemory,
    pub(crate) config: Arc<WasiConfigVariables>,
    pub(crate) nn: Nn,
    /// Time on the processor that models have computed for the instance's request.
    pub(crate) computed: Duration,
    pub(crate) imports: I,
}

impl<I> State<I> {
    /// The data behind the host's own imports.
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

/// WASI, its environment as `wasi:config`, too, networks that the operator has named, and outgoing HTTP. Sockets lead nowhere,
/// and HTTP where the host's [`Outbound`](crate::Outbound) lets it.
pub(crate) fn add_to_linker<I: Imports>(linker: &mut Linker<State<I>>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    nn::add_to_linker(linker)?;
    wasmtime_wasi_config::add_to_linker(linker, |state| WasiConfig::new(&state.config))?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}
