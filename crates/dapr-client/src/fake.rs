//! An in-memory Dapr for tests: state with etags, secrets, and test handlers for invocation and bindings.
//!
//! It responds with Dapr's statuses and bodies, so that a service under test uses the real client. Parts of it can be
//! made to fail or hang.

mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use crate::{Dapr, Endpoint, Transport, TransportError};

pub use state::Record;

/// Fault of a part of the fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FaultMode {
    /// None: responds as Dapr does.
    #[default]
    Healthy,
    /// Responds with 500.
    Failing,
    /// Never responds.
    Hanging,
}

/// A message that a client published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Name of the broker.
    pub pubsub: String,
    /// Topic of the message.
    pub topic: String,
    /// Payload.
    pub data: Bytes,
}

type Handler = Arc<dyn Fn(&str, &Request<Bytes>) -> Response<Bytes> + Send + Sync>;

/// Callback that runs between a read and its response, to simulate a concurrent change.
type Interference = Box<dyn FnOnce(&FakeDapr) + Send>;

/// The fake Dapr, shared with its clients.
#[derive(Default)]
pub struct FakeDapr {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    records: BTreeMap<String, Record>,
    writes: u64,
    interference: Option<Interference>,
    secrets: BTreeMap<String, String>,
    invoke: Option<Handler>,
    binding: Option<Handler>,
    published: Vec<Published>,
    state_mode: FaultMode,
    secret_mode: FaultMode,
    invoke_mode: FaultMode,
}

impl FakeDapr {
    /// Creates a Dapr with an empty state store for every name, no secrets, and no applications.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Creates a client.
    #[must_use]
    pub fn client(self: &Arc<Self>) -> Dapr {
        Dapr::with_transport(Endpoint::local(3500), Arc::clone(self) as Arc<dyn Transport>)
    }

    /// Sets the handler of invocations; its first argument is the app id.
    pub fn on_invoke(&self, answer: impl Fn(&str, &Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static) {
        self.lock().invoke = Some(Arc::new(answer));
    }

    /// Sets the handler of bindings; its first argument is the binding's name.
    pub fn on_binding(&self, answer: impl Fn(&str, &Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static) {
        self.lock().binding = Some(Arc::new(answer));
    }

    /// Adds a secret.
    pub fn put_secret(&self, key: &str, value: &str) {
        self.lock().secrets.insert(key.to_owned(), value.to_owned());
    }

    /// Sets the fault of the state store.
    pub fn set_state_mode(&self, mode: FaultMode) {
        self.lock().state_mode = mode;
    }

    /// Sets the fault of the secret store.
    pub fn set_secret_mode(&self, mode: FaultMode) {
        self.lock().secret_mode = mode;
    }

    /// Sets the fault of invocation.
    pub fn set_invoke_mode(&self, mode: FaultMode) {
        self.lock().invoke_mode = mode;
    }

    /// Returns the messages that clients published.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        self.lock().published.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secret(&self, key: &str) -> Response<Bytes> {
        match self.lock().secrets.get(key) {
            Some(value) => reply(StatusCode::OK, serde_json::json!({ key: value }).to_string()),
            None => {
                error_response(StatusCode::INTERNAL_SERVER_ERROR, "ERR_SECRET_GET", &format!("secret {key} not found"))
            }
        }
    }
}

#[async_trait]
impl Transport for FakeDapr {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let segments: Vec<String> = request.uri().path().split('/').skip(1).map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Ok(match segments.as_slice() {
            ["v1.0", "state", _, rest @ ..] => {
                let mode = self.lock().state_mode;
                apply_fault(mode, || self.answer_state(&request, rest)).await
            }
            ["v1.0", "secrets", _, key] => {
                let mode = self.lock().secret_mode;
                apply_fault(mode, || self.secret(key)).await
            }
            ["v1.0", "invoke", app_id, "method", ..] => {
                let mode = self.lock().invoke_mode;
                let handler = self.lock().invoke.clone();
                apply_fault(mode, || call_handler(handler, app_id, &request, "ERR_DIRECT_INVOKE")).await
            }
            ["v1.0", "publish", pubsub, topic] => {
                let (pubsub, topic) = ((*pubsub).to_owned(), (*topic).to_owned());
                self.lock().published.push(Published { pubsub, topic, data: request.body().clone() });
                reply(StatusCode::NO_CONTENT, "")
            }
            ["v1.0", "bindings", name] => {
                let handler = self.lock().binding.clone();
                call_handler(handler, name, &request, "ERR_INVOKE_OUTPUT_BINDING")
            }
            _ => error_response(StatusCode::NOT_FOUND, "ERR_DIRECT_INVOKE", "failed getting app id"),
        })
    }
}

fn call_handler(handler: Option<Handler>, name: &str, request: &Request<Bytes>, code: &str) -> Response<Bytes> {
    match handler {
        Some(answer) => answer(name, request),
        None => error_response(StatusCode::INTERNAL_SERVER_ERROR, code, &format!("no {name} here")),
    }
}

async fn apply_fault(mode: FaultMode, answer: impl FnOnce() -> Response<Bytes>) -> Response<Bytes> {
    match mode {
        FaultMode::Healthy => answer(),
        FaultMode::Failing => error_response(StatusCode::INTERNAL_SERVER_ERROR, "ERR_FAKE", "told to fail"),
        FaultMode::Hanging => std::future::pending().await,
    }
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Creates a response.
pub fn reply(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

fn error_response(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    reply(status, serde_json::json!({ "errorCode": code, "message": message }).to_string())
}
