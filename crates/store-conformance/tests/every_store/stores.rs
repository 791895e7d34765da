//! The stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use building_blocks::{ComponentSpec, Context, Registry, StateStore};
use test_servers::{Server, free_port};

async fn create(type_: &str, properties: &[(&str, &str)]) -> Arc<dyn StateStore> {
    let mut registry: Registry = native_components::registry();
    wasm_components::register(&mut registry, None);
    let spec = ComponentSpec {
        name: "store".into(),
        type_: type_.into(),
        properties: properties.iter().copied().collect(),
        ..ComponentSpec::default()
    };
    registry.create(spec, Context::default()).await.unwrap().state_store.unwrap()
}

/// A native store.
pub(crate) async fn native(type_: &str, properties: &[(&str, &str)]) -> Arc<dyn StateStore> {
    create(type_, properties).await
}

/// SQLite in a file.
pub(crate) async fn sqlite(file: &Path) -> Arc<dyn StateStore> {
    create("state.sqlite", &[("connectionString", file.to_str().unwrap())]).await
}

/// A Wasm component, from where `cargo xtask build-wasm --components` puts it.
pub(crate) async fn wasm(name: &str) -> Arc<dyn StateStore> {
    let folder = std::env::var_os("WASM_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wasm"));
    let path = folder.join("components").join(name).with_extension("wasm");
    assert!(path.exists(), "{} is missing; `cargo xtask build-wasm --components` makes it", path.display());
    // Some components have sockets; this host answers nobody.
    create("state.wasm", &[("module", path.to_str().unwrap()), ("allowHosts", "192.0.2.1:1")]).await
}

/// A Redis, where this machine has one.
pub(crate) fn redis_server() -> Option<Server> {
    Server::start_on(free_port(), "redis-server", |folder, port| {
        let [port, folder] = [port.to_string(), folder.display().to_string()];
        ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--dir", &folder].map(str::to_owned).to_vec()
    })
}
