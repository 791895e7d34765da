//! The suite: one module a building block.

mod access;
mod application;
mod bindings;
mod health;
mod invoke;
mod pluggable;
mod secrets;
mod state;

use crate::case::Case;

/// Everything that the bed of sidecars is asked.
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

/// What the three services are asked.
pub(crate) fn application() -> anyhow::Result<Vec<Case>> {
    application::cases()
}

/// What the three services are asked that run as components under `wasmtime serve`.
pub(crate) fn composed() -> anyhow::Result<Vec<Case>> {
    application::composed()
}

/// What a sidecar with a token is asked, by programs and by pages of its origins and of others.
pub(crate) fn guarded() -> Vec<Case> {
    [access::with_token(), access::from_pages()].concat()
}
