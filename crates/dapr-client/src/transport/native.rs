//! hyper 1 on tokio, for tools and tests.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

use super::{MAX_RESPONSE_BYTES, Transport, TransportError};

/// A pool of keep-alive connections.
pub(crate) struct HyperTransport(Client<HttpConnector, Full<Bytes>>);

impl HyperTransport {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let response = self.0.request(request.map(Full::new)).await.map_err(classify)?;
        read(response).await
    }
}

async fn read(response: Response<Incoming>) -> Result<Response<Bytes>, TransportError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_RESPONSE_BYTES).collect().await.map_err(TransportError::Response)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

fn classify(error: hyper_util::client::legacy::Error) -> TransportError {
    if error.is_connect() {
        return TransportError::Connect(error.into());
    }
    let cause = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<hyper::Error>());
    match cause {
        Some(cause) if cause.is_user() => TransportError::Request(error.into()),
        Some(cause) if cause.is_parse() => TransportError::Response(error.into()),
        // The remaining errors before a response header are ends of a connection: closed, cancelled, reset.
        _ => TransportError::Closed(error.into()),
    }
}
