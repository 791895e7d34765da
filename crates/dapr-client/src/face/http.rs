//! Dapr's HTTP API: endpoint, token, trace, deadline and safe repetition, once for all building blocks.

mod others;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BindingRequest, BulkFound, Face, Found, MethodCall, Repeat, Terms};
use crate::path::ApiPath;
use crate::state::{Consistency, Operation, Save, WriteOptions};
use crate::transport::{Transport, TransportError};
use crate::{BindingAnswer, Endpoint, Error, Metadata, Secret};

/// How often a repeatable request is sent again when its connection turns out to be closed. More than one idle
/// connection may have gone stale, as all do when Dapr restarts.
const REPEATS: usize = 2;

/// Dapr behind its HTTP API.
pub(crate) struct HttpFace {
    endpoint: Endpoint,
    transport: Arc<dyn Transport>,
}

/// One call, ready to be sent.
struct Call {
    operation: &'static str,
    repeat: Repeat,
    request: Request<Bytes>,
}

impl HttpFace {
    pub(crate) fn new(endpoint: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self { endpoint, transport }
    }

    /// Puts a call together: address, token and trace are added here and nowhere else.
    fn form(&self, terms: &Terms, operation: &'static str, method: Method, path: &ApiPath) -> Result<Call, Error> {
        let repeat = if method.is_idempotent() { Repeat::Safe } else { Repeat::Never };
        let uri = format!("{}{}", self.endpoint.base(), path.as_str());
        let form = |source| Error::Form { operation, source };
        let mut request = Request::builder().method(method).uri(uri).body(Bytes::new()).map_err(form)?;
        if let Some(token) = self.endpoint.token() {
            let mut value = HeaderValue::from_str(token.reveal()).map_err(|error| form(error.into()))?;
            value.set_sensitive(true);
            request.headers_mut().insert("dapr-api-token", value);
        }
        terms.trace.put_onto(request.headers_mut());
        Ok(Call { operation, repeat, request })
    }

    /// Sends a call and returns whatever was answered, also an error's status.
    async fn send(&self, terms: &Terms, call: Call) -> Result<Response<Bytes>, Error> {
        let Call { operation, repeat, request } = call;
        let deadline = terms.deadline;
        let sent = crate::timeout(deadline, self.send_repeatedly(repeat, request)).await;
        sent.map_err(|_| Error::Deadline { operation, deadline })?
            .map_err(|source| Error::Unreachable { operation, source })
    }

    /// Sends a call and turns an error's status into [`Error::Refused`].
    async fn succeed(&self, terms: &Terms, call: Call) -> Result<Response<Bytes>, Error> {
        let operation = call.operation;
        let response = self.send(terms, call).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Error::refused(operation, response.status(), response.body()))
    }

    async fn send_repeatedly(
        &self,
        repeat: Repeat,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let repeats = if repeat == Repeat::Safe { REPEATS } else { 0 };
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
impl Face for HttpFace {
    async fn get(
        &self,
        terms: &Terms,
        store: &str,
        key: &str,
        consistency: Option<Consistency>,
    ) -> Result<Option<Found>, Error> {
        state::get(self, terms, store, key, consistency).await
    }

    async fn get_all(&self, terms: &Terms, store: &str, keys: &[&str]) -> Result<Vec<BulkFound>, Error> {
        state::get_all(self, terms, store, keys).await
    }

    async fn save(&self, terms: &Terms, store: &str, records: &[Save<'_>]) -> Result<(), Error> {
        state::save(self, terms, store, records).await
    }

    async fn delete(&self, terms: &Terms, store: &str, key: &str, options: &WriteOptions) -> Result<(), Error> {
        state::delete(self, terms, store, key, options).await
    }

    async fn transaction(&self, terms: &Terms, store: &str, operations: &[Operation<'_>]) -> Result<(), Error> {
        state::transaction(self, terms, store, operations).await
    }

    async fn secret(&self, terms: &Terms, store: &str, key: &str) -> Result<Option<BTreeMap<String, Secret>>, Error> {
        others::secret(self, terms, store, key).await
    }

    async fn invoke(&self, terms: &Terms, call: MethodCall) -> Result<Response<Bytes>, Error> {
        others::invoke(self, terms, call).await
    }

    async fn binding(&self, terms: &Terms, name: &str, request: BindingRequest<'_>) -> Result<BindingAnswer, Error> {
        others::binding(self, terms, name, request).await
    }

    async fn metadata(&self, terms: &Terms) -> Result<Metadata, Error> {
        others::metadata(self, terms).await
    }

    async fn set_metadata(&self, terms: &Terms, key: &str, value: &str) -> Result<(), Error> {
        others::set_metadata(self, terms, key, value).await
    }

    async fn health(&self, terms: &Terms, outbound: bool) -> Result<(), Error> {
        others::health(self, terms, outbound).await
    }
}

impl Call {
    /// Gives the call a JSON body.
    fn json(mut self, value: &impl Serialize) -> Result<Self, Error> {
        let operation = self.operation;
        let body = serde_json::to_vec(value).map_err(|source| Error::Encode { operation, source })?;
        *self.request.body_mut() = body.into();
        self.request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// Declares that sending twice does no more than sending once.
    fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }
}

/// Reads a JSON answer. Dapr says "nothing there" with 204, or with a body of no bytes.
fn read_json<T: DeserializeOwned>(operation: &'static str, response: &Response<Bytes>) -> Result<Option<T>, Error> {
    if response.status() == StatusCode::NO_CONTENT || response.body().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(response.body()).map(Some).map_err(|source| Error::Decode { operation, source })
}
