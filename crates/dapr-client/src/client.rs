//! The client itself: endpoint, token, trace, deadline and safe repetition, once for all building blocks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::path::ApiPath;
use crate::transport::{HyperTransport, Transport, TransportError};
use crate::{Endpoint, Error, TraceContext};

/// How long a call may take unless [`Dapr::with_deadline`] says otherwise.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// How often a repeatable request is sent again when its connection turns out to be closed. More than one idle
/// connection may have gone stale, as all do when Dapr restarts.
const REPEATS: usize = 2;

/// Dapr, as one service sees it. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Dapr {
    endpoint: Endpoint,
    transport: Arc<dyn Transport>,
    deadline: Duration,
    trace: TraceContext,
}

/// Whether a request may be sent twice when it is unclear if the first one arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Safe,
    Never,
}

/// One call, ready to be sent.
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) repeat: Repeat,
    pub(crate) request: Request<Bytes>,
}

impl Dapr {
    /// A client with the transport of this target. Nothing is sent before the first call.
    #[must_use]
    pub fn connect(endpoint: Endpoint) -> Self {
        Self::with_transport(endpoint, Arc::new(HyperTransport::new()))
    }

    /// A client on a transport of the caller's choice.
    #[must_use]
    pub fn with_transport(endpoint: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self { endpoint, transport, deadline: DEFAULT_DEADLINE, trace: TraceContext::default() }
    }

    /// The same client with another deadline for each call.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The same client with its calls belonging to a trace.
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        Self { trace, ..self.clone() }
    }

    /// Puts a call together: address, token and trace are added here and nowhere else.
    pub(crate) fn form(&self, operation: &'static str, method: Method, path: &ApiPath) -> Result<Call, Error> {
        let repeat = if method.is_idempotent() { Repeat::Safe } else { Repeat::Never };
        let uri = format!("{}{}", self.endpoint.base(), path.as_str());
        let form = |source| Error::Form { operation, source };
        let mut request = Request::builder().method(method).uri(uri).body(Bytes::new()).map_err(form)?;
        if let Some(token) = self.endpoint.token() {
            let mut value = HeaderValue::from_str(token.reveal()).map_err(|error| form(error.into()))?;
            value.set_sensitive(true);
            request.headers_mut().insert("dapr-api-token", value);
        }
        self.trace.put_onto(request.headers_mut());
        Ok(Call { operation, repeat, request })
    }

    /// Sends a call and returns whatever was answered, also an error's status.
    pub(crate) async fn send(&self, call: Call) -> Result<Response<Bytes>, Error> {
        let Call { operation, repeat, request } = call;
        let sent = tokio::time::timeout(self.deadline, self.send_repeatedly(repeat, request)).await;
        sent.map_err(|_| Error::Deadline { operation, deadline: self.deadline })?
            .map_err(|source| Error::Unreachable { operation, source })
    }

    /// Sends a call and turns an error's status into [`Error::Refused`].
    pub(crate) async fn succeed(&self, call: Call) -> Result<Response<Bytes>, Error> {
        let operation = call.operation;
        let response = self.send(call).await?;
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

impl std::fmt::Debug for Dapr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dapr")
            .field("endpoint", &self.endpoint)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Call {
    /// Gives the call a JSON body.
    pub(crate) fn json(mut self, value: &impl Serialize) -> Result<Self, Error> {
        let operation = self.operation;
        let body = serde_json::to_vec(value).map_err(|source| Error::Encode { operation, source })?;
        *self.request.body_mut() = body.into();
        self.request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// Declares that sending twice does no more than sending once.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }

    /// Declares that sending twice may do more than sending once, whatever the method suggests.
    pub(crate) fn unrepeatable(mut self) -> Self {
        self.repeat = Repeat::Never;
        self
    }
}

/// Reads a JSON answer. Dapr says "nothing there" with 204, or with a body of no bytes.
pub(crate) fn read_json<T: DeserializeOwned>(
    operation: &'static str,
    response: &Response<Bytes>,
) -> Result<Option<T>, Error> {
    if response.status() == StatusCode::NO_CONTENT || response.body().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(response.body()).map(Some).map_err(|source| Error::Decode { operation, source })
}
