//! The stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use building_blocks::{Component, ComponentSpec, Context, Registry, StateStore};
use pluggable::{Block, Maker, Socket};
use test_servers::{Server, free_port};
use tokio_util::sync::CancellationToken;

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
    // Some components have sockets; this host answers nobody.
    component(name, &[("allowHosts", "192.0.2.1:1")]).await
}

/// The Wasm component for Redis on a database of this server, which is all that it may reach.
pub(crate) async fn wasm_redis(host: &str, database: &str) -> Arc<dyn StateStore> {
    component("state-redis", &[("redisHost", host), ("redisDB", database), ("allowHosts", host)]).await
}

/// The store in JavaScript, where npm has built it. On CI nothing may be lacking.
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

/// A component that was built.
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

/// The same store on a socket, as a pluggable component that is found there.
pub(crate) async fn on_a_socket(store: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
    let folder = tempfile::tempdir().unwrap();
    let socket = Socket::bind(&folder.path().join("store.sock")).await.unwrap();
    let maker: Maker = Arc::new(move |_, _| {
        let component = Component { state_store: Some(store.clone()), ..Component::default() };
        Box::pin(async move { Ok(component) })
    });
    let mut registry = Registry::default();
    tokio::spawn(pluggable::serve(Block::StateStore, maker, socket, CancellationToken::new()));
    pluggable::register(&mut registry, pluggable::discover(folder.path()).await);
    let spec = ComponentSpec { name: "store".into(), type_: "state.store".into(), ..ComponentSpec::default() };
    let found = registry.create(spec, Context::default()).await.unwrap().state_store.unwrap();
    // It is connected, and needs its file no more.
    drop(folder);
    found
}

/// A Redis, where this machine has one.
pub(crate) fn redis_server() -> Option<Server> {
    Server::start_on(free_port(), "redis-server", |folder, port| {
        let [port, folder] = [port.to_string(), folder.display().to_string()];
        ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--dir", &folder].map(str::to_owned).to_vec()
    })
}
