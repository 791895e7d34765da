//! The store under test, as one case sees it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use building_blocks::state::{
    Concurrency, DeleteRequest, GetRequest, SetRequest, StateItem, StateOptions, TTL_IN_SECONDS,
};
use building_blocks::{Metadata, StateError, StateStore};

/// Where Dapr's own stores differ from each other, and what is before them may. The default is `state.in-memory`'s and
/// `state.sqlite`'s way.
#[derive(Clone, Debug)]
pub struct Behaviours {
    /// A write or delete with an etag fails when the key is absent. (Redis: it succeeds.)
    pub etag_needs_the_key: bool,
    /// A refused first write is an etag mismatch. (Redis: an error of no special kind.)
    pub first_write_conflict_is_mismatch: bool,
    /// `first-write` without an etag conflicts with any existing value. (Redis: only with one that was itself written
    /// with `first-write`, and then even for a later `last-write`.)
    pub first_write_sees_every_value: bool,
    /// What a read tells as the etag is good for one write by the one who read it, though the store does not declare the
    /// feature. (`wasi:keyvalue`: its compare-and-swap.)
    pub swaps: bool,
    /// Etags are opaque: any text is a possible one. (Redis: whole numbers, others are invalid.)
    pub etags_are_opaque: bool,
    /// A write that says `last-write` and carries an etag still has to match. (Redis: it does not look at the etag.)
    pub last_write_minds_the_etag: bool,
    /// A failed transaction leaves nothing behind. (Redis: it does.)
    pub transactions_roll_back: bool,
    /// A read tells when the value will expire. (Redis: not.)
    pub reads_tell_expiry: bool,
    /// A write that says nothing about TTL removes the one there was. (Redis: keeps it.)
    pub rewrite_removes_ttl: bool,
    /// A request that is wrong in itself is told from other failures. (Behind Dapr's gRPC API: only etags are told apart.)
    pub refusals_are_told_apart: bool,
    /// The largest value that is taken, in bytes; more than 4 MiB counts as that. (Behind Dapr's gRPC API: a little less.)
    pub largest_value: usize,
    /// How long what has expired may stay visible, on a machine that is busy.
    pub patience: Duration,
}

impl Default for Behaviours {
    fn default() -> Self {
        Self {
            etag_needs_the_key: true,
            first_write_conflict_is_mismatch: true,
            first_write_sees_every_value: true,
            swaps: false,
            etags_are_opaque: true,
            last_write_minds_the_etag: true,
            transactions_roll_back: true,
            reads_tell_expiry: true,
            rewrite_removes_ttl: true,
            refusals_are_told_apart: true,
            largest_value: 4 << 20,
            patience: Duration::from_secs(15),
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
            last_write_minds_the_etag: false,
            transactions_roll_back: false,
            reads_tell_expiry: false,
            rewrite_removes_ttl: false,
            ..Self::default()
        }
    }
}

/// A store, what it declares, and keys that no other case uses.
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

    /// `name` as a key of this case alone.
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

    /// An etag of the form that the store issues, and that no key has.
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

/// Asserts that the etag was the reason for a failure.
pub(crate) fn assert_mismatch<T: std::fmt::Debug>(result: Result<T, StateError>) {
    assert!(matches!(result, Err(StateError::EtagMismatch(_))), "expected an etag mismatch, got {result:?}");
}
