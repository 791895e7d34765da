//! Components that export `wasi:keyvalue`, with WASI and daprlet's functions as imports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use compose::Part;
use dapr_api_wit::DaprWit;
use dapr_building_blocks::{Component as Made, ComponentSpec, StateStore};
use dapr_runtime::{Components, Settings, Sidecar};
use wasmtime::component::{Component, Linker, ResourceAny, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::stores;
pub(super) use contract::exports::wasi::keyvalue::atomics::CasError;
pub(super) use contract::exports::wasi::keyvalue::store::{Error, KeyResponse};

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/keyvalue has the documentation")]
mod contract {
    wasmtime::component::bindgen!({
        inline: "
            package daprlet:keyvalue;
            world provider {
                export wasi:keyvalue/store@0.2.0-draft2;
                export wasi:keyvalue/atomics@0.2.0-draft2;
                export wasi:keyvalue/batch@0.2.0-draft2;
            }
        ",
        path: "../../wit/keyvalue",
        exports: { default: async },
    });
}

/// State of an instance.
struct InstanceState {
    wasi: WasiCtx,
    table: ResourceTable,
    dapr: DaprWit,
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Component that exports `wasi:keyvalue`, alone or composed with a store.
pub(super) struct Provider {
    engine: Engine,
    component: Component,
    linker: Linker<InstanceState>,
}

impl Provider {
    /// Returns the first component composed with the others; compiled components are shared among tests.
    pub(super) fn get(names: &[&str]) -> Arc<Self> {
        static COMPILED: Mutex<BTreeMap<String, Arc<Provider>>> = Mutex::new(BTreeMap::new());
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.entry(names.join(", ")).or_insert_with(|| Arc::new(Self::new(names))).clone()
    }

    fn new(names: &[&str]) -> Self {
        let bytes: Vec<Vec<u8>> = names.iter().map(|name| std::fs::read(stores::built(name)).unwrap()).collect();
        let parts = names.iter().zip(&bytes).map(|(name, bytes)| Part::new(*name, bytes).unwrap());
        let parts: Vec<Part<'_>> = parts.collect();
        let (first, others) = parts.split_first().unwrap();
        let engine = Engine::default();
        let component = Component::new(&engine, compose::fuse(first, others).unwrap().bytes()).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        dapr_api_wit::add_to_linker(&mut linker, |given: &mut InstanceState| &mut given.dapr).unwrap();
        Self { engine, component, linker }
    }

    /// Creates an instance with an open bucket, for an application of `sidecar` with these environment variables.
    pub(super) async fn instance(&self, sidecar: &Arc<Sidecar>, environment: &[(&str, &str)]) -> Instance {
        let mut wasi = WasiCtxBuilder::new();
        wasi.envs(environment).allow_tcp(true).allow_ip_name_lookup(true).inherit_network();
        let given =
            InstanceState { wasi: wasi.build(), table: ResourceTable::new(), dapr: DaprWit::new(sidecar.clone()) };
        let mut store = Store::new(&self.engine, given);
        let exports = contract::Provider::instantiate_async(&mut store, &self.component, &self.linker).await.unwrap();
        let opened = exports.wasi_keyvalue_store().call_open(&mut store, "").await.unwrap();
        Instance { bucket: opened.unwrap(), store, exports }
    }
}

/// Creates the sidecar of an application with the given state store, or none.
pub(super) fn sidecar(state: Option<Arc<dyn StateStore>>) -> Arc<Sidecar> {
    let sidecar = Sidecar::new(Settings::new("app"));
    let mut components = Components::default();
    let spec = ComponentSpec { name: "store".to_owned(), ..ComponentSpec::default() };
    components.add(&spec, &Made { state_store: state, ..Made::default() }).unwrap();
    sidecar.set_components(components);
    Arc::new(sidecar)
}

/// Instance of a component with its bucket. A trap fails the test.
pub(super) struct Instance {
    store: Store<InstanceState>,
    exports: contract::Provider,
    bucket: ResourceAny,
}

/// Calls of the interface's functions on the instance's bucket.
impl Instance {
    pub(super) async fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let bucket = self.exports.wasi_keyvalue_store().bucket();
        bucket.call_get(&mut self.store, self.bucket, key).await.unwrap()
    }

    pub(super) async fn set(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let bucket = self.exports.wasi_keyvalue_store().bucket();
        bucket.call_set(&mut self.store, self.bucket, key, value).await.unwrap()
    }

    pub(super) async fn delete(&mut self, key: &str) -> Result<(), Error> {
        let bucket = self.exports.wasi_keyvalue_store().bucket();
        bucket.call_delete(&mut self.store, self.bucket, key).await.unwrap()
    }

    pub(super) async fn exists(&mut self, key: &str) -> Result<bool, Error> {
        let bucket = self.exports.wasi_keyvalue_store().bucket();
        bucket.call_exists(&mut self.store, self.bucket, key).await.unwrap()
    }

    pub(super) async fn list_keys(&mut self, cursor: Option<&str>) -> Result<KeyResponse, Error> {
        let bucket = self.exports.wasi_keyvalue_store().bucket();
        bucket.call_list_keys(&mut self.store, self.bucket, cursor).await.unwrap()
    }

    pub(super) async fn cas(&mut self, key: &str) -> Result<ResourceAny, Error> {
        let cas = self.exports.wasi_keyvalue_atomics().cas();
        cas.call_new(&mut self.store, self.bucket, key).await.unwrap()
    }

    pub(super) async fn current(&mut self, cas: ResourceAny) -> Result<Option<Vec<u8>>, Error> {
        self.exports.wasi_keyvalue_atomics().cas().call_current(&mut self.store, cas).await.unwrap()
    }

    pub(super) async fn swap(&mut self, cas: ResourceAny, value: &[u8]) -> Result<(), CasError> {
        self.exports.wasi_keyvalue_atomics().call_swap(&mut self.store, cas, value).await.unwrap()
    }

    pub(super) async fn increment(&mut self, key: &str, delta: i64) -> Result<i64, Error> {
        let atomics = self.exports.wasi_keyvalue_atomics();
        atomics.call_increment(&mut self.store, self.bucket, key, delta).await.unwrap()
    }

    pub(super) async fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<(String, Vec<u8>)>>, Error> {
        self.exports.wasi_keyvalue_batch().call_get_many(&mut self.store, self.bucket, keys).await.unwrap()
    }

    pub(super) async fn set_many(&mut self, pairs: &[(String, Vec<u8>)]) -> Result<(), Error> {
        self.exports.wasi_keyvalue_batch().call_set_many(&mut self.store, self.bucket, pairs).await.unwrap()
    }

    pub(super) async fn delete_many(&mut self, keys: &[String]) -> Result<(), Error> {
        self.exports.wasi_keyvalue_batch().call_delete_many(&mut self.store, self.bucket, keys).await.unwrap()
    }
}
