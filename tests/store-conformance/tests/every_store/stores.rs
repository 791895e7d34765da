//! Stores under test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use component_pluggable::{Block, ComponentFactory, Socket};
use dapr_building_blocks::{Component, ComponentSpec, Context, Registry, StateStore};
use test_servers::{Server, free_port};
use tokio_util::sync::CancellationToken;

async fn create(type_: &str, properties: &[(&str, &str)]) -> Arc<dyn StateStore> {
    let mut registry: Registry = component_native::registry();
    component_wasm::register(&mut registry, None);
    let spec = ComponentSpec {
        name: "store".into(),
        type_: type_.into(),
        properties: properties.iter().copied().collect(),
        ..ComponentSpec::default()
    };
    registry.create(spec, Context::default()).await.unwrap().state_store.unwrap()
}

/// Creates a native store.
pub(crate) async fn native(type_: &str, properties: &[(&str, &str)]) -> Arc<dyn StateStore> {
    create(type_, properties).await
}

/// Creates a SQLite store in a file.
pub(crate) async fn sqlite(file: &Path) -> Arc<dyn StateStore> {
    create("state.sqlite", &[("connectionString", file.to_str().unwrap())]).await
}

/// Creates a store from a Wasm component in the output directory of `cargo xtask build-wasm --components`.
pub(crate) async fn wasm(name: &str) -> Arc<dyn StateStore> {
    // Some components import sockets; this address never responds.
    component(name, &[("allowHosts", "192.0.2.1:1")]).await
}

/// Creates the Wasm store on a database of the given Redis. It may reach no other host.
pub(crate) async fn wasm_redis(host: &str, database: &str) -> Arc<dyn StateStore> {
    component("state-redis", &[("redisHost", host), ("redisDB", database), ("allowHosts", host)]).await
}

/// Creates the store in JavaScript, if npm has built it. On CI it must exist.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
pub(crate) async fn javascript() -> Option<Arc<dyn StateStore>> {
    let path = module("state-store-js");
    if !path.exists() {
        let how = "`cargo xtask build-wasm --components` makes it where Node and npm are installed";
        assert!(std::env::var_os("CI").is_none(), "{} is missing, and on CI it must be there; {how}", path.display());
        eprintln!("DID NOT RUN: {} is missing; {how}", path.display());
        return None;
    }
    Some(component("state-store-js", &[]).await)
}

/// Returns the path of a built component.
pub(crate) fn built(name: &str) -> PathBuf {
    let path = module(name);
    assert!(path.exists(), "{} is missing; `cargo xtask build-wasm --components` makes it", path.display());
    path
}

fn module(name: &str) -> PathBuf {
    let folder = std::env::var_os("WASM_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from("../../wasm"));
    folder.join("components").join(name).with_extension("wasm")
}

async fn component(name: &str, properties: &[(&str, &str)]) -> Arc<dyn StateStore> {
    create("state.wasm", &[&[("module", built(name).to_str().unwrap())], properties].concat()).await
}

/// Serves a store on a socket, and returns it as a discovered pluggable component.
pub(crate) async fn on_a_socket(store: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
    let folder = tempfile::tempdir().unwrap();
    let socket = Socket::bind(&folder.path().join("store.sock")).await.unwrap();
    let factory: ComponentFactory = Arc::new(move |_, _| {
        let component = Component { state_store: Some(store.clone()), ..Component::default() };
        Box::pin(async move { Ok(component) })
    });
    let mut registry = Registry::default();
    tokio::spawn(component_pluggable::serve(Block::StateStore, factory, socket, CancellationToken::new()));
    component_pluggable::register(&mut registry, component_pluggable::discover(folder.path()).await);
    let spec = ComponentSpec { name: "store".into(), type_: "state.store".into(), ..ComponentSpec::default() };
    let found = registry.create(spec, Context::default()).await.unwrap().state_store.unwrap();
    // The connection is open, so the socket's file is no longer needed.
    drop(folder);
    found
}

/// Starts a Redis, if it is installed.
pub(crate) fn redis_server() -> Option<Server> {
    Server::start_on(free_port(), "redis-server", |folder, port| {
        let [port, folder] = [port.to_string(), folder.display().to_string()];
        ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--dir", &folder].map(str::to_owned).to_vec()
    })
}
