//! The cases for the API sidecars: a line for each building block.

use super::{access, bindings, health, invoke, pluggable, secrets, state};
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
    all.extend(super::lock::cases());
    all.extend(super::configuration::cases());
    all.extend(super::pubsub::cases());
    all.extend(super::resiliency::cases());
    all.extend(pluggable::cases());
    all.extend(health::cases());
    all.extend(access::cases());
    all
}
