//! Dapr's HTTP API: endpoint, token, trace context, timeout and safe retries for all building blocks.

mod bindings;
mod configuration;
mod health;
mod invoke;
mod lock;
mod metadata;
mod pubsub;
mod secrets;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Backend, BindingRequest, BulkRecord, CallOptions, MethodCall, Repeat, StoredRecord};
use crate::path::ApiPath;
use crate::state::{Consistency, Operation, Save, WriteOptions};
use crate::transport::{Transport, TransportError};
use crate::{BindingResponse, Endpoint, Error, Metadata, Secret};

/// Most retries of a repeatable request whose connection turns out to be closed.
///
/// Several idle connections may be stale, as all are when Dapr restarts.
const MAX_RETRIES: usize = 2;

/// Client of Dapr's HTTP API.
pub(crate) struct HttpBackend {
    endpoint: Endpoint,
    transport: Arc<dyn Transport>,
}

/// A call that is ready to be sent.
struct Call {
    operation: &'static str,
    repeat: Repeat,
    request: Request<Bytes>,
}

impl HttpBackend {
    pub(crate) fn new(endpoint: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self { endpoint, transport }
    }

    /// Builds a call. Address, token and trace context are added only here.
    fn build_call(
        &self,
        call_options: &CallOptions,
        operation: &'static str,
        method: Method,
        path: &ApiPath,
    ) -> Result<Call, Error> {
        let repeat = if method.is_idempotent() { Repeat::Safe } else { Repeat::Never };
        let uri = format!("{}{}", self.endpoint.base(), path.as_str());
        let form = |source| Error::Form { operation, source };
        let mut request = Request::builder().method(method).uri(uri).body(Bytes::new()).map_err(form)?;
        if let Some(token) = self.endpoint.token() {
            let mut value = HeaderValue::from_str(token.reveal()).map_err(|error| form(error.into()))?;
            value.set_sensitive(true);
            request.headers_mut().insert("dapr-api-token", value);
        }
        call_options.trace.add_to(request.headers_mut());
        Ok(Call { operation, repeat, request })
    }

    /// Sends a call and returns the response, whatever its status.
    async fn send(&self, call_options: &CallOptions, call: Call) -> Result<Response<Bytes>, Error> {
        let Call { operation, repeat, request } = call;
        let deadline = call_options.deadline;
        let sent = crate::timeout(deadline, self.send_repeatedly(repeat, request)).await;
        sent.map_err(|_| Error::Deadline { operation, deadline })?
            .map_err(|source| Error::Unreachable { operation, source })
    }

    /// Sends a call, and turns an error status into [`Error::Refused`].
    async fn send_checked(&self, call_options: &CallOptions, call: Call) -> Result<Response<Bytes>, Error> {
        let operation = call.operation;
        let response = self.send(call_options, call).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Error::from_response(operation, response.status(), response.body()))
    }

    async fn send_repeatedly(
        &self,
        repeat: Repeat,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let repeats = if repeat == Repeat::Safe { MAX_RETRIES } else { 0 };
        for _ in 0..repeats {
            match self.transport.send(request.clone()).await {
                Err(TransportError::Closed(_)) => {}
                answered => return answered,
            }
        }
        self.transport.send(request).await
    }
}

#[async_trait]
impl Backend for HttpBackend {
    async fn get(
        &self,
        call_options: &CallOptions,
        store: &str,
        key: &str,
        consistency: Option<Consistency>,
    ) -> Result<Option<StoredRecord>, Error> {
        state::get(self, call_options, store, key, consistency).await
    }

    async fn get_all(&self, call_options: &CallOptions, store: &str, keys: &[&str]) -> Result<Vec<BulkRecord>, Error> {
        state::get_all(self, call_options, store, keys).await
    }

    async fn save(&self, call_options: &CallOptions, store: &str, records: &[Save<'_>]) -> Result<(), Error> {
        state::save(self, call_options, store, records).await
    }

    async fn delete(
        &self,
        call_options: &CallOptions,
        store: &str,
        key: &str,
        options: &WriteOptions,
    ) -> Result<(), Error> {
        state::delete(self, call_options, store, key, options).await
    }

    async fn transaction(
        &self,
        call_options: &CallOptions,
        store: &str,
        operations: &[Operation<'_>],
    ) -> Result<(), Error> {
        state::transaction(self, call_options, store, operations).await
    }

    async fn secret(
        &self,
        call_options: &CallOptions,
        store: &str,
        key: &str,
    ) -> Result<Option<BTreeMap<String, Secret>>, Error> {
        secrets::secret(self, call_options, store, key).await
    }

    async fn invoke(&self, call_options: &CallOptions, call: MethodCall) -> Result<Response<Bytes>, Error> {
        invoke::invoke(self, call_options, call).await
    }

    async fn binding(
        &self,
        call_options: &CallOptions,
        name: &str,
        request: BindingRequest<'_>,
    ) -> Result<BindingResponse, Error> {
        bindings::binding(self, call_options, name, request).await
    }

    async fn metadata(&self, call_options: &CallOptions) -> Result<Metadata, Error> {
        metadata::metadata(self, call_options).await
    }

    async fn set_metadata(&self, call_options: &CallOptions, key: &str, value: &str) -> Result<(), Error> {
        metadata::set_metadata(self, call_options, key, value).await
    }

    async fn health(&self, call_options: &CallOptions, outbound: bool) -> Result<(), Error> {
        health::health(self, call_options, outbound).await
    }
}

impl Call {
    /// Sets a JSON body.
    fn json(mut self, value: &impl Serialize) -> Result<Self, Error> {
        let operation = self.operation;
        let body = serde_json::to_vec(value).map_err(|source| Error::Encode { operation, source })?;
        *self.request.body_mut() = body.into();
        self.request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// Declares that the call may safely be sent twice.
    fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }
}

/// Parses a JSON response. Dapr reports an absent value as 204, or as an empty body.
fn read_json<T: DeserializeOwned>(operation: &'static str, response: &Response<Bytes>) -> Result<Option<T>, Error> {
    if response.status() == StatusCode::NO_CONTENT || response.body().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(response.body()).map(Some).map_err(|source| Error::Decode { operation, source })
}
