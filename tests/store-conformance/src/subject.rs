//! Store under test, as used by one case.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use dapr_building_blocks::state::{
    Concurrency, DeleteRequest, GetRequest, SetRequest, StateItem, StateOptions, TTL_IN_SECONDS,
};
use dapr_building_blocks::{Metadata, StateError, StateStore};

/// Behaviours in which Dapr's own stores, and the layers in front of them, differ.
///
/// The default is that of `state.in-memory` and `state.sqlite`.
#[derive(Clone, Debug)]
pub struct Behaviours {
    /// A write or delete with an etag fails if the key is absent. (Redis: it succeeds.)
    pub etag_requires_key: bool,
    /// A rejected first write is an etag mismatch. (Redis: a generic error.)
    pub first_write_conflict_is_mismatch: bool,
    /// `first-write` without an etag conflicts with any existing value.
    ///
    /// (Redis: only with a value that was itself written with `first-write`, and then even for a later `last-write`.)
    pub first_write_sees_every_value: bool,
    /// Reads return etags for one write each, even without the etag feature.
    ///
    /// (`wasi:keyvalue`: its compare-and-swap.)
    pub has_compare_and_swap: bool,
    /// Etags are opaque: any text is valid. (Redis: only whole numbers are valid.)
    pub etags_are_opaque: bool,
    /// A `last-write` with an etag must match it. (Redis: it ignores the etag.)
    pub last_write_checks_etag: bool,
    /// A failed transaction has no effect. (Redis: it may.)
    pub transactions_roll_back: bool,
    /// A read returns the expiry time. (Redis: it does not.)
    pub reads_return_expiry: bool,
    /// A write without a TTL removes the existing one. (Redis: keeps it.)
    pub rewrite_removes_ttl: bool,
    /// Invalid requests have an error kind of their own. (Dapr's gRPC API: only etag errors have.)
    pub invalid_requests_are_distinguished: bool,
    /// Maximum size of a value, in bytes; tested up to 4 MiB. (Dapr's gRPC API: slightly less.)
    pub max_value_bytes: usize,
    /// Longest time that expired values may stay visible, on a busy machine.
    pub expiry_timeout: Duration,
}

impl Default for Behaviours {
    fn default() -> Self {
        Self {
            etag_requires_key: true,
            first_write_conflict_is_mismatch: true,
            first_write_sees_every_value: true,
            has_compare_and_swap: false,
            etags_are_opaque: true,
            last_write_checks_etag: true,
            transactions_roll_back: true,
            reads_return_expiry: true,
            rewrite_removes_ttl: true,
            invalid_requests_are_distinguished: true,
            max_value_bytes: 4 << 20,
            expiry_timeout: Duration::from_secs(15),
        }
    }
}

impl Behaviours {
    /// Returns the behaviours of Dapr's `state.redis`.
    pub fn redis() -> Self {
        Self {
            etag_requires_key: false,
            first_write_conflict_is_mismatch: false,
            first_write_sees_every_value: false,
            etags_are_opaque: false,
            last_write_checks_etag: false,
            transactions_roll_back: false,
            reads_return_expiry: false,
            rewrite_removes_ttl: false,
            ..Self::default()
        }
    }
}

/// Store with its declared behaviours, and keys that no other case uses.
#[derive(Clone)]
pub struct Subject {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) declared: Behaviours,
    case: &'static str,
}

impl Subject {
    pub(crate) fn new(store: Arc<dyn StateStore>, declared: Behaviours, case: &'static str) -> Self {
        Self { store, declared, case }
    }

    /// Returns a key that only this case uses.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("conformance||{}-{name}", self.case)
    }

    pub(crate) fn write(&self, name: &str, value: impl Into<Bytes>) -> SetRequest {
        SetRequest::new(self.key(name), value)
    }

    pub(crate) fn removal(&self, name: &str) -> DeleteRequest {
        DeleteRequest::new(self.key(name))
    }

    pub(crate) async fn get(&self, name: &str) -> Option<StateItem> {
        self.store.get(GetRequest::new(self.key(name))).await.unwrap()
    }

    pub(crate) async fn value(&self, name: &str) -> Option<Bytes> {
        self.get(name).await.map(|item| item.value)
    }

    pub(crate) async fn etag(&self, name: &str) -> String {
        self.get(name).await.unwrap().etag.unwrap()
    }

    pub(crate) async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        self.store.set(request).await
    }

    pub(crate) async fn put(&self, name: &str, value: impl Into<Bytes>) {
        self.set(self.write(name, value)).await.unwrap();
    }

    pub(crate) async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        self.store.delete(request).await
    }

    /// Returns an etag that is well-formed for this store, but that no key has.
    pub(crate) fn stale_etag(&self) -> String {
        if self.declared.etags_are_opaque { "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d" } else { "987654" }.to_owned()
    }
}

pub(crate) fn with_etag(request: SetRequest, etag: impl Into<String>) -> SetRequest {
    SetRequest { etag: Some(etag.into()), ..request }
}

pub(crate) fn delete_with_etag(request: DeleteRequest, etag: impl Into<String>) -> DeleteRequest {
    DeleteRequest { etag: Some(etag.into()), ..request }
}

pub(crate) fn first_write(request: SetRequest) -> SetRequest {
    let options = StateOptions { concurrency: Concurrency::FirstWrite, ..request.options };
    SetRequest { options, ..request }
}

pub(crate) fn with_ttl(request: SetRequest, seconds: &str) -> SetRequest {
    SetRequest { metadata: Metadata::from([(TTL_IN_SECONDS.to_owned(), seconds.to_owned())]), ..request }
}

/// Asserts that the result is an etag mismatch.
pub(crate) fn assert_mismatch<T: std::fmt::Debug>(result: Result<T, StateError>) {
    assert!(matches!(result, Err(StateError::EtagMismatch(_))), "expected an etag mismatch, got {result:?}");
}
