//! Restricts name resolution to granted names: any other lookup could leak data.

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, HostNetwork, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network, SocketError};
use wasmtime_wasi::sockets::{WasiSocketsCtxView, WasiSocketsView as _};

use super::HostState;
use crate::grants::HostRule;

/// Replaces WASI's name resolution by the restricted one.
pub(super) fn restrict(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    ip_name_lookup::add_to_linker::<HostState, GrantedNamesData>(linker, |state| {
        let hosts = state.hosts.clone();
        GrantedNames { hosts, wasi: state.sockets() }
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

struct GrantedNamesData;

impl HasData for GrantedNamesData {
    type Data<'a> = GrantedNames<'a>;
}

struct GrantedNames<'a> {
    hosts: std::sync::Arc<[HostRule]>,
    wasi: WasiSocketsCtxView<'a>,
}

impl Host for GrantedNames<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        if !self.hosts.iter().any(|rule| rule.names(&name)) {
            return Err(ErrorCode::AccessDenied.into());
        }
        self.wasi.resolve_addresses(network, name)
    }
}

impl network::Host for GrantedNames<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.wasi.convert_error_code(error)
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.wasi.network_error_code(error)
    }
}

impl HostNetwork for GrantedNames<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        HostNetwork::drop(&mut self.wasi, network)
    }
}

impl HostResolveAddressStream for GrantedNames<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        self.wasi.resolve_next_address(stream)
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<Resource<DynPollable>> {
        HostResolveAddressStream::subscribe(&mut self.wasi, stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        HostResolveAddressStream::drop(&mut self.wasi, stream)
    }
}
