//! Delivering the events of input bindings: `dapr/pkg/runtime/processor/binding`.

use std::sync::Arc;

use async_trait::async_trait;
use building_blocks::binding::{BindingEvent, DeliveryError, EventSink};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use sidecar::{Sidecar, empty_body, full_body};
use tokio_util::sync::CancellationToken;

use crate::directory::Callee;

/// Starts every input binding that the application subscribes to, once it listens.
pub(crate) async fn run(sidecar: Arc<Sidecar>, callee: Arc<Callee>, shutdown: CancellationToken) {
    for (name, binding) in sidecar.components().input_bindings() {
        if !is_subscribed(&callee, name).await {
            tracing::info!(app = sidecar.app_id(), binding = name, "the application does not want this input binding");
            continue;
        }
        let sink = Arc::new(Sink { name: name.to_owned(), callee: callee.clone() });
        let (name, app) = (name.to_owned(), sidecar.app_id().to_owned());
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            if let Err(error) = binding.run(sink, shutdown).await {
                tracing::error!(app, binding = name, %error, "an input binding has ended");
            }
        });
    }
}

/// An application subscribes by answering `OPTIONS /NAME` with 2xx or 405.
async fn is_subscribed(callee: &Callee, name: &str) -> bool {
    let Ok(request) = Request::builder().method(Method::OPTIONS).uri(format!("/{name}")).body(empty_body()) else {
        return false;
    };
    match callee.call(request).await {
        Ok(response) => response.status().is_success() || response.status() == StatusCode::METHOD_NOT_ALLOWED,
        Err(error) => {
            tracing::warn!(binding = name, %error, "the application could not be asked about an input binding");
            false
        }
    }
}

struct Sink {
    name: String,
    callee: Arc<Callee>,
}

#[async_trait]
impl EventSink for Sink {
    async fn deliver(&self, event: BindingEvent) -> Result<Option<Bytes>, DeliveryError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("/{}", self.name))
            .body(full_body(event.data))
            .map_err(|error| DeliveryError(error.into()))?;
        for (name, value) in &event.metadata {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                request.headers_mut().insert(name, value);
            }
        }
        let response = self.callee.call(request).await.map_err(|error| DeliveryError(error.into()))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(DeliveryError)?.to_bytes();
        if status == StatusCode::OK {
            Ok((!body.is_empty()).then_some(body))
        } else {
            Err(DeliveryError(format!("the application answered {status}").into()))
        }
    }
}
