//! The way a request travels; which one is chosen by the target.

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

/// An answer longer than this is refused rather than held in a guest's memory.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub(crate) const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Carries one request to its absolute URI and brings the whole answer back.
///
/// A seam: services are tested with a fake in its place.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request. A status that says "error" is an answer like any other here.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

type Cause = Box<dyn StdError + Send + Sync>;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nobody listens there.
    #[error("cannot connect")]
    Connect(#[source] Cause),
    /// The connection ended before an answer: typical for one kept alive that the other side had already closed.
    #[error("the connection was closed before an answer came")]
    Closed(#[source] Cause),
    /// The answer broke off, was malformed or too long.
    #[error("the answer cannot be read")]
    Answer(#[source] Cause),
    /// The request cannot be sent at all.
    #[error("the request cannot be sent")]
    Request(#[source] Cause),
}
