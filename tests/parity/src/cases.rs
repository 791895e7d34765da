//! The suite: one module for each building block.

mod access;
mod api;
mod application;
mod bindings;
mod configuration;
mod health;
mod invoke;
mod lock;
mod pluggable;
mod pubsub;
mod resiliency;
mod secrets;
mod state;

pub(crate) use self::api::api;
use crate::case::Case;

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
