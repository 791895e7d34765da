//! Helpers of the tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use component_wasm::{Engine, Module, OpenError, Options, WasmStateStore};
use dapr_building_blocks::state::GetRequest;
use dapr_building_blocks::{StateError, StateStore as _};

/// One engine for all tests, which compiles each module once.
pub(crate) fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(None).unwrap()).clone()
}

/// Returns the path of a component.
pub(crate) fn path(name: &str) -> PathBuf {
    let folder = std::env::var_os("WASM_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from("../../wasm"));
    let path = folder.join("components").join(name).with_extension("wasm");
    assert!(path.exists(), "{} is missing; `cargo xtask build-wasm --components` makes it", path.display());
    path
}

/// Compiles a component, once for all tests.
pub(crate) fn module(name: &str) -> Module {
    static MODULES: Mutex<BTreeMap<String, Module>> = Mutex::new(BTreeMap::new());
    let mut modules = MODULES.lock().unwrap();
    let compile = || engine().compile(&std::fs::read(path(name)).unwrap(), None).unwrap();
    modules.entry(name.to_owned()).or_insert_with(compile).clone()
}

/// Opens the misbehaving store. It imports sockets, so it needs some host; this one never responds.
pub(crate) async fn faulty(change: impl FnOnce(&mut Options)) -> Result<WasmStateStore, OpenError> {
    let mut options = Options::named("faulty");
    options.grants.hosts = vec!["192.0.2.1:1".parse().unwrap()];
    change(&mut options);
    WasmStateStore::open(&module("faulty-store"), options).await
}

/// Reads `key` as text.
pub(crate) async fn read(store: &WasmStateStore, key: &str) -> Result<Option<String>, StateError> {
    let item = store.get(GetRequest::new(key)).await?;
    Ok(item.map(|item| String::from_utf8(item.value.to_vec()).unwrap()))
}

/// Returns the error of reading `key`.
pub(crate) async fn read_error(store: &WasmStateStore, key: &str) -> String {
    match read(store, key).await {
        Err(error) => error.to_string(),
        Ok(value) => panic!("{key} was answered with {value:?}"),
    }
}
