//! State stores: one handle for each store, one module for each kind of call.

mod bulk;
mod options;
mod read;
mod transaction;
mod write;

use crate::Dapr;

pub use bulk::BulkItem;
pub use options::{Concurrency, Consistency, Etag, WriteOptions};
pub use read::Entry;
pub use transaction::{Delete, Operation};
pub use write::Save;

/// A handle to one state store.
#[derive(Clone, Copy)]
pub struct StateStore<'a> {
    dapr: &'a Dapr,
    name: &'a str,
}

impl Dapr {
    /// Returns a handle to a state store.
    #[must_use]
    pub fn state<'a>(&'a self, store: &'a str) -> StateStore<'a> {
        StateStore { dapr: self, name: store }
    }
}
