//! The suite: one module for each building block.

mod access;
mod application;
mod bindings;
mod health;
mod invoke;
mod pluggable;
mod secrets;
mod state;

use crate::case::Case;

/// Returns the cases for the API sidecars.
pub(crate) fn api() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(invoke::cases());
    for store in ["memory", "sqlite", "redis", "socket"] {
        all.extend(state::cases(store));
    }
    all.extend(state::without_a_store());
    all.extend(state::key_prefixes());
    all.extend(secrets::cases());
    all.extend(bindings::cases());
    all.extend(pluggable::cases());
    all.extend(health::cases());
    all.extend(access::cases());
    all
}

/// Returns the cases for the three services.
pub(crate) fn application() -> anyhow::Result<Vec<Case>> {
    application::cases()
}

/// Returns the cases for the services as components under `wasmtime serve`.
pub(crate) fn composed() -> anyhow::Result<Vec<Case>> {
    application::composed()
}

/// Returns the cases for a sidecar with an API token and CORS origins.
pub(crate) fn guarded() -> Vec<Case> {
    [access::with_token(), access::from_pages()].concat()
}
