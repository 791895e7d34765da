//! Bindings: operations on, and events from, the world outside.
//!
//! Follows `components-contrib/bindings/{input_binding,output_binding,requests,responses}.go`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{BoxError, Metadata};

/// Something that an application can ask to do things: insert a row, send a message.
#[async_trait]
pub trait OutputBinding: Send + Sync {
    /// The operations there are. A face refuses others before it calls [`invoke`](Self::invoke).
    fn operations(&self) -> Vec<&str>;

    /// Does one operation.
    async fn invoke(&self, request: InvokeRequest) -> Result<InvokeResponse, BindingError>;
}

/// One operation asked of an output binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeRequest {
    /// Its name.
    pub operation: String,
    /// The caller's data, as JSON.
    pub data: Bytes,
    /// The caller's metadata.
    pub metadata: Metadata,
}

/// What an operation gave. One with neither data nor metadata is Dapr's "nil response", which HTTP answers with 204.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeResponse {
    /// The answer's bytes; `None` is an empty answer.
    pub data: Option<Bytes>,
    /// What the binding tells about the operation.
    pub metadata: Metadata,
}

/// Something that happens outside and that an application wants to hear of.
#[async_trait]
pub trait InputBinding: Send + Sync {
    /// Delivers events to `sink` until `shutdown` is cancelled, then returns. Ends earlier only with an error, or
    /// because there will never be another event.
    async fn run(&self, sink: Arc<dyn EventSink>, shutdown: CancellationToken) -> Result<(), BindingError>;
}

/// Where the events of an input binding go: the application, behind whatever channel it has.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Hands one event over and waits for the application's answer. An error means that it was not accepted.
    async fn deliver(&self, event: BindingEvent) -> Result<Option<Bytes>, DeliveryError>;
}

/// One event of an input binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingEvent {
    /// Its content.
    pub data: Bytes,
    /// What the binding tells about it; over HTTP these become headers.
    pub metadata: Metadata,
}

/// The application did not accept an event.
#[derive(Debug, Error)]
#[error("the application did not accept the event: {0}")]
pub struct DeliveryError(#[source] pub BoxError);

/// Why a binding did not do as asked.
#[derive(Debug, Error)]
pub enum BindingError {
    /// The request itself is wrong: a missing `sql`, parameters that are no JSON array.
    #[error("{0}")]
    InvalidRequest(String),
    /// What the binding talks to cannot be reached now; the same call may succeed later.
    #[error("binding unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// What the binding talks to answered with a failure.
    #[error("{0}")]
    Other(#[source] BoxError),
}
