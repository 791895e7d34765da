//! HTTP transports; the target determines which one is used.

#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod wasi;

use std::error::Error as StdError;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

#[cfg(not(target_os = "wasi"))]
pub(crate) use native::HyperTransport;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) use wasi::HyperTransport;

/// Largest accepted response in bytes, to protect a guest's memory.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub(crate) const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Sends one request to its absolute URI, and returns the complete response.
///
/// A trait, so that services can be tested with a fake.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request. An error status is an ordinary response here.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

type Cause = Box<dyn StdError + Send + Sync>;

/// Error of a transport.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The connection was not accepted.
    #[error("cannot connect")]
    Connect(#[source] Cause),
    /// The connection ended before a response: typical for a keep-alive connection that the server has closed.
    #[error("the connection was closed before an answer came")]
    Closed(#[source] Cause),
    /// The response broke off, was malformed or too long.
    #[error("the answer cannot be read")]
    Response(#[source] Cause),
    /// The request cannot be sent.
    #[error("the request cannot be sent")]
    Request(#[source] Cause),
}
