//! hyper_wasi on WasmEdge's sockets.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use hyper::body::HttpBody;
use hyper::client::HttpConnector;
use hyper::{Body, Client};

use super::{MAX_RESPONSE_BYTES, Transport, TransportError};

/// A pool of keep-alive connections.
pub(crate) struct HyperTransport(Client<HttpConnector>);

impl HyperTransport {
    pub(crate) fn new() -> Self {
        // WasmEdge's sockets write only the first buffer of a vectored write and cannot switch Nagle's algorithm off:
        // with hyper's default each request would wait 44 ms for a delayed acknowledgement.
        Self(Client::builder().http1_writev(false).build_http())
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request = http_compat::request_to_02(request.map(Body::from));
        let request = request.map_err(|error| TransportError::Request(error.into()))?;
        let (head, body) = self.0.request(request).await.map_err(classify)?.into_parts();
        http_compat::response_to_1(&head, read(body).await?).map_err(|error| TransportError::Response(error.into()))
    }
}

async fn read(mut body: Body) -> Result<Bytes, TransportError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(|error| TransportError::Response(error.into()))?;
        if whole.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(TransportError::Response("the answer is too long".into()));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

fn classify(error: hyper::Error) -> TransportError {
    if error.is_connect() {
        TransportError::Connect(error.into())
    } else if error.is_user() {
        TransportError::Request(error.into())
    } else if error.is_parse() {
        TransportError::Response(error.into())
    } else {
        // The remaining errors before a response header are ends of a connection: closed, cancelled, reset.
        TransportError::Closed(error.into())
    }
}
