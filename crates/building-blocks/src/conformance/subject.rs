//! The store under test, as one case sees it.

use std::sync::Arc;

use bytes::Bytes;

use crate::state::{Concurrency, DeleteRequest, GetRequest, SetRequest, StateItem, StateOptions, TTL_IN_SECONDS};
use crate::{Metadata, StateError, StateStore};

/// Where Dapr's own stores differ from each other. The default is `state.in-memory`'s and `state.sqlite`'s way.
#[derive(Clone, Debug)]
pub struct Behaviours {
    /// A write or delete with an etag fails when the key is absent. (Redis: it succeeds.)
    pub etag_needs_the_key: bool,
    /// A refused first write is an etag mismatch. (Redis: an error of no special kind.)
    pub first_write_conflict_is_mismatch: bool,
    /// `first-write` without an etag conflicts with any existing value. (Redis: only with one that was itself written
    /// with `first-write`, and then even for a later `last-write`.)
    pub first_write_sees_every_value: bool,
    /// Etags are opaque: any text is a possible one. (Redis: whole numbers, others are invalid.)
    pub etags_are_opaque: bool,
    /// A failed transaction leaves nothing behind. (Redis: it does.)
    pub transactions_roll_back: bool,
    /// A read tells when the value will expire. (Redis: not.)
    pub reads_tell_expiry: bool,
    /// A write that says nothing about TTL removes the one there was. (Redis: keeps it.)
    pub rewrite_removes_ttl: bool,
}

impl Default for Behaviours {
    fn default() -> Self {
        Self {
            etag_needs_the_key: true,
            first_write_conflict_is_mismatch: true,
            first_write_sees_every_value: true,
            etags_are_opaque: true,
            transactions_roll_back: true,
            reads_tell_expiry: true,
            rewrite_removes_ttl: true,
        }
    }
}

impl Behaviours {
    /// What Dapr's `state.redis` declares.
    pub fn redis() -> Self {
        Self {
            etag_needs_the_key: false,
            first_write_conflict_is_mismatch: false,
            first_write_sees_every_value: false,
            etags_are_opaque: false,
            transactions_roll_back: false,
            reads_tell_expiry: false,
            rewrite_removes_ttl: false,
        }
    }
}

/// A store, what it declares, and keys that no other case uses.
#[derive(Clone)]
pub struct Subject {
    pub(super) store: Arc<dyn StateStore>,
    pub(super) declared: Behaviours,
    case: &'static str,
}

impl Subject {
    pub(super) fn new(store: Arc<dyn StateStore>, declared: Behaviours, case: &'static str) -> Self {
        Self { store, declared, case }
    }

    /// `name` as a key of this case alone.
    pub(super) fn key(&self, name: &str) -> String {
        format!("conformance||{}-{name}", self.case)
    }

    pub(super) fn write(&self, name: &str, value: impl Into<Bytes>) -> SetRequest {
        SetRequest::new(self.key(name), value)
    }

    pub(super) fn removal(&self, name: &str) -> DeleteRequest {
        DeleteRequest::new(self.key(name))
    }

    pub(super) async fn get(&self, name: &str) -> Option<StateItem> {
        self.store.get(GetRequest::new(self.key(name))).await.unwrap()
    }

    pub(super) async fn value(&self, name: &str) -> Option<Bytes> {
        self.get(name).await.map(|item| item.value)
    }

    pub(super) async fn etag(&self, name: &str) -> String {
        self.get(name).await.unwrap().etag.unwrap()
    }

    pub(super) async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        self.store.set(request).await
    }

    pub(super) async fn put(&self, name: &str, value: impl Into<Bytes>) {
        self.set(self.write(name, value)).await.unwrap();
    }

    pub(super) async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        self.store.delete(request).await
    }

    /// An etag of the form that the store issues, and that no key has.
    pub(super) fn stale_etag(&self) -> String {
        if self.declared.etags_are_opaque { "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d" } else { "987654" }.to_owned()
    }
}

pub(super) fn with_etag(request: SetRequest, etag: impl Into<String>) -> SetRequest {
    SetRequest { etag: Some(etag.into()), ..request }
}

pub(super) fn delete_with_etag(request: DeleteRequest, etag: impl Into<String>) -> DeleteRequest {
    DeleteRequest { etag: Some(etag.into()), ..request }
}

pub(super) fn first_write(request: SetRequest) -> SetRequest {
    let options = StateOptions { concurrency: Concurrency::FirstWrite, ..request.options };
    SetRequest { options, ..request }
}

pub(super) fn with_ttl(request: SetRequest, seconds: &str) -> SetRequest {
    SetRequest { metadata: Metadata::from([(TTL_IN_SECONDS.to_owned(), seconds.to_owned())]), ..request }
}

/// Asserts that the etag was the reason for a failure.
pub(super) fn assert_mismatch<T: std::fmt::Debug>(result: Result<T, StateError>) {
    assert!(matches!(result, Err(StateError::EtagMismatch(_))), "expected an etag mismatch, got {result:?}");
}
