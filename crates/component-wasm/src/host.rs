//! The host side of one instance: its store's data, and its imports.

mod limiter;
mod lookup;

use std::net::SocketAddr;
use std::sync::Arc;

use dapr_building_blocks::Secret;
use guest_engine::MAX_RANDOM_BYTES;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::engine::Engine;
use crate::error::OpenError;
use crate::grants::{Grants, HostRule, Preopen};
use crate::options::Options;
use crate::output::Lines;
use limiter::Limiter;

/// Data of one instance's store.
pub(crate) struct HostState {
    wasi: WasiCtx,
    table: ResourceTable,
    limiter: Limiter,
    hosts: Arc<[HostRule]>,
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Creates a linker with WASI. Without grants, there are no directories, variables or connections.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    lookup::restrict(&mut linker)?;
    Ok(linker)
}

/// Creates a store for one instance of a component.
pub(crate) fn store(engine: &Engine, options: &Options) -> Result<Store<HostState>, OpenError> {
    let hosts: Arc<[HostRule]> = options.grants.hosts.clone().into();
    let state = HostState {
        wasi: wasi(options, hosts.clone())?,
        table: ResourceTable::new(),
        limiter: Limiter::new(options.limits.memory),
        hosts,
    };
    let mut store = Store::new(engine.wasmtime(), state);
    store.limiter(|state| &mut state.limiter);
    // Limits what a component passes to the host, which is copied before it is checked.
    store.set_hostcall_fuel(options.limits.call_bytes());
    // Each tick of the clock lets other tasks run, and the call's timeout expire.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
    Ok(store)
}

fn wasi(options: &Options, hosts: Arc<[HostRule]>) -> Result<WasiCtx, OpenError> {
    let Grants { dirs, env, .. } = &options.grants;
    let lines = Lines::new(options.name.as_str().into());
    let mut wasi = WasiCtxBuilder::new();
    wasi.max_random_size(MAX_RANDOM_BYTES);
    wasi.stdout(lines.clone()).stderr(lines);
    for (name, value) in env {
        wasi.env(name, Secret::expose(value));
    }
    for Preopen { host, guest, read_only } in dirs {
        let permissions = if *read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        let shared = wasi.preopened_dir(host, guest, permissions);
        shared.map_err(|source| OpenError::Directory { path: host.clone(), source })?;
    }
    if !hosts.is_empty() {
        wasi.allow_tcp(true).allow_ip_name_lookup(true).socket_addr_check(move |address, usage| {
            // A task, because wasmtime requires a `Sync` future, and name resolution is none.
            let checking = tokio::spawn(may_use(hosts.clone(), address, usage));
            Box::pin(async move { checking.await.unwrap_or(false) })
        });
    }
    Ok(wasi.build())
}

/// Decides whether a component may use an address.
///
/// It may connect to its hosts, from any local address, and never listen.
async fn may_use(hosts: Arc<[HostRule]>, address: SocketAddr, usage: SocketAddrUse) -> bool {
    match usage {
        SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
        SocketAddrUse::TcpConnect => {
            for rule in hosts.iter() {
                if rule.allows(address).await {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}
