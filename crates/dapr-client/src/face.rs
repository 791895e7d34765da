//! The way to Dapr: one call of each building block, whatever carries it.
//!
//! Dapr's HTTP API ([`http`]) beside a sidecar; in a component, the functions of `dapr:runtime` ([`imports`]). What they have
//! in common, types and JSON, is above this seam.

pub(crate) mod http;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(crate) mod imports;

use std::collections::BTreeMap;
use std::time::Duration;

use ::http::{Method, Response};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::state::{Consistency, Etag, Operation, Save, WriteOptions};
use crate::{BindingAnswer, Error, Metadata, Secret, TraceContext};

/// What holds for every call of a client.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) deadline: Duration,
    pub(crate) trace: TraceContext,
}

/// Whether a request may be sent twice when it is unclear if the first one arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Safe,
    Never,
}

/// A record as it is stored.
pub(crate) struct Found {
    pub(crate) value: Bytes,
    pub(crate) etag: Option<Etag>,
    pub(crate) expires: Option<String>,
}

/// One of several records, or why it could not be read.
pub(crate) struct BulkFound {
    pub(crate) key: String,
    pub(crate) record: Result<Option<Found>, String>,
}

/// A call of a binding's operation.
pub(crate) struct BindingRequest<'a> {
    pub(crate) operation: &'a str,
    pub(crate) data: Option<Box<RawValue>>,
    pub(crate) metadata: BTreeMap<&'a str, String>,
}

/// A call of another service's method.
pub(crate) struct MethodCall {
    pub(crate) app_id: String,
    pub(crate) method: Method,
    /// Path and query, without the first slash.
    pub(crate) path: String,
    pub(crate) headers: ::http::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) repeat: Repeat,
}

/// One implementation for each way.
#[async_trait]
pub(crate) trait Face: Send + Sync {
    async fn get(
        &self,
        terms: &Terms,
        store: &str,
        key: &str,
        consistency: Option<Consistency>,
    ) -> Result<Option<Found>, Error>;

    async fn get_all(&self, terms: &Terms, store: &str, keys: &[&str]) -> Result<Vec<BulkFound>, Error>;

    async fn save(&self, terms: &Terms, store: &str, records: &[Save<'_>]) -> Result<(), Error>;

    async fn delete(&self, terms: &Terms, store: &str, key: &str, options: &WriteOptions) -> Result<(), Error>;

    async fn transaction(&self, terms: &Terms, store: &str, operations: &[Operation<'_>]) -> Result<(), Error>;

    async fn secret(&self, terms: &Terms, store: &str, key: &str) -> Result<Option<BTreeMap<String, Secret>>, Error>;

    async fn invoke(&self, terms: &Terms, call: MethodCall) -> Result<Response<Bytes>, Error>;

    async fn binding(&self, terms: &Terms, name: &str, request: BindingRequest<'_>) -> Result<BindingAnswer, Error>;

    async fn metadata(&self, terms: &Terms) -> Result<Metadata, Error>;

    async fn set_metadata(&self, terms: &Terms, key: &str, value: &str) -> Result<(), Error>;

    /// Whether Dapr is ready; `outbound` leaves the application out of it.
    async fn health(&self, terms: &Terms, outbound: bool) -> Result<(), Error>;
}

/// What a call tries, in words.
pub(crate) mod operation {
    pub(crate) const GET: &str = "get state";
    pub(crate) const GET_ALL: &str = "get state in bulk";
    pub(crate) const SAVE: &str = "save state";
    pub(crate) const DELETE: &str = "delete state";
    pub(crate) const TRANSACTION: &str = "run a state transaction";
    pub(crate) const SECRET: &str = "get a secret";
    pub(crate) const INVOKE: &str = "invoke";
    pub(crate) const BINDING: &str = "invoke a binding";
    pub(crate) const METADATA: &str = "get metadata";
    pub(crate) const SET_METADATA: &str = "set metadata";
    pub(crate) const HEALTH: &str = "ask for Dapr's health";
}
