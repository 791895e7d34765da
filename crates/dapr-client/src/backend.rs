//! Backends: one call of each building block, over any protocol.
//!
//! Dapr's HTTP API ([`http`]) beside a sidecar; in a component, the imports of `dapr:runtime` ([`wit`]). Types and
//! JSON are common to both, and lie above this trait.

pub(crate) mod http;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(crate) mod wit;

use std::collections::BTreeMap;
use std::time::Duration;

use ::http::{Method, Response};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::state::{Consistency, Etag, Operation, Save, WriteOptions};
use crate::{BindingResponse, Error, Metadata, Secret, TraceContext};

/// Options of every call of a client.
#[derive(Debug, Clone)]
pub(crate) struct CallOptions {
    pub(crate) deadline: Duration,
    pub(crate) trace: TraceContext,
}

/// Permission to send a request twice when it is unclear whether the first one arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Safe,
    Never,
}

/// A stored record.
pub(crate) struct StoredRecord {
    pub(crate) value: Bytes,
    pub(crate) etag: Option<Etag>,
    pub(crate) expires: Option<String>,
}

/// One of several records, or the error of reading it.
pub(crate) struct BulkRecord {
    pub(crate) key: String,
    pub(crate) record: Result<Option<StoredRecord>, String>,
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
    /// Path and query, without the leading slash.
    pub(crate) path: String,
    pub(crate) headers: ::http::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) repeat: Repeat,
}

/// A protocol of Dapr's API.
#[async_trait]
pub(crate) trait Backend:
    crate::configuration::ConfigurationBackend + crate::lock::LockBackend + crate::pubsub::PubSubBackend + Send + Sync
{
    async fn get(
        &self,
        call_options: &CallOptions,
        store: &str,
        key: &str,
        consistency: Option<Consistency>,
    ) -> Result<Option<StoredRecord>, Error>;

    async fn get_all(&self, call_options: &CallOptions, store: &str, keys: &[&str]) -> Result<Vec<BulkRecord>, Error>;

    async fn save(&self, call_options: &CallOptions, store: &str, records: &[Save<'_>]) -> Result<(), Error>;

    async fn delete(
        &self,
        call_options: &CallOptions,
        store: &str,
        key: &str,
        options: &WriteOptions,
    ) -> Result<(), Error>;

    async fn transaction(
        &self,
        call_options: &CallOptions,
        store: &str,
        operations: &[Operation<'_>],
    ) -> Result<(), Error>;

    async fn secret(
        &self,
        call_options: &CallOptions,
        store: &str,
        key: &str,
    ) -> Result<Option<BTreeMap<String, Secret>>, Error>;

    async fn invoke(&self, call_options: &CallOptions, call: MethodCall) -> Result<Response<Bytes>, Error>;

    async fn binding(
        &self,
        call_options: &CallOptions,
        name: &str,
        request: BindingRequest<'_>,
    ) -> Result<BindingResponse, Error>;

    async fn metadata(&self, call_options: &CallOptions) -> Result<Metadata, Error>;

    async fn set_metadata(&self, call_options: &CallOptions, key: &str, value: &str) -> Result<(), Error>;

    /// Checks whether Dapr is ready; `outbound` leaves out the application.
    async fn health(&self, call_options: &CallOptions, outbound: bool) -> Result<(), Error>;
}

/// Names of calls in errors.
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
