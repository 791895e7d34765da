//! Bindings: operations on, and events from, outside systems.
//!
//! Follows `components-contrib/bindings/{input_binding,output_binding,requests,responses}.go`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{BoxError, Metadata};

/// Output binding, which performs operations on an outside system.
///
/// Examples are inserting a row and sending a message.
#[async_trait]
pub trait OutputBinding: Send + Sync {
    /// Lists the supported operations.
    ///
    /// The APIs reject others before they call [`invoke`](Self::invoke).
    fn operations(&self) -> Vec<&str>;

    /// Performs one operation.
    async fn invoke(&self, request: InvokeRequest) -> Result<InvokeResponse, BindingError>;
}

/// One operation of an output binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeRequest {
    /// Name of the operation.
    pub operation: String,
    /// The caller's data, as JSON.
    pub data: Bytes,
    /// The caller's metadata.
    pub metadata: Metadata,
}

/// Result of an operation.
///
/// One with neither data nor metadata is Dapr's "nil response", a 204 over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeResponse {
    /// Data of the response; `None` for an empty response.
    pub data: Option<Bytes>,
    /// Metadata from the binding.
    pub metadata: Metadata,
}

/// An input binding: a source of outside events for an application.
#[async_trait]
pub trait InputBinding: Send + Sync {
    /// Delivers events to `sink` until `shutdown` is cancelled.
    ///
    /// Returns earlier only with an error, or because there will never be another event.
    async fn run(&self, sink: Arc<dyn EventSink>, shutdown: CancellationToken) -> Result<(), BindingError>;
}

/// Receiver of an input binding's events: the application, over its channel.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Delivers one event and waits for the application's response. An error means that it was not accepted.
    async fn deliver(&self, event: BindingEvent) -> Result<Option<Bytes>, DeliveryError>;
}

/// One event of an input binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingEvent {
    /// Content of the event.
    pub data: Bytes,
    /// Metadata from the binding; over HTTP it becomes headers.
    pub metadata: Metadata,
}

/// An error for an event that the application did not accept.
#[derive(Debug, Error)]
#[error("the application did not accept the event: {0}")]
pub struct DeliveryError(#[source] pub BoxError);

/// An error of a binding.
#[derive(Debug, Error)]
pub enum BindingError {
    /// The request is invalid: a missing `sql`, parameters that are not a JSON array.
    #[error("{0}")]
    InvalidRequest(String),
    /// The outside system is unreachable now; the same call may succeed later.
    #[error("binding unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The outside system reported an error.
    #[error("{0}")]
    Other(#[source] BoxError),
}
