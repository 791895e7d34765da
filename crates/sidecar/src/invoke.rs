//! The way to other applications.

use async_trait::async_trait;
use building_blocks::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};

/// A body that streams.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// No bytes.
#[must_use]
pub fn empty_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// All bytes at once.
#[must_use]
pub fn full_body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Carries requests to applications.
#[async_trait]
pub trait Invoker: Send + Sync {
    /// Sends `request`, whose URI is just path and query, to the application `target`.
    async fn invoke(&self, target: &str, request: Request<Body>) -> Result<Response<Body>, InvokeError>;
}

/// Why an invocation got no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// There is no such application. The text is that of Dapr's mDNS resolver.
    #[error("couldn't find service: {target}")]
    Unknown {
        /// The id asked for.
        target: String,
    },
    /// The callee's access control refuses. The text is that of `dapr/pkg/acl/acl.go`.
    #[error(
        "rpc error: code = PermissionDenied desc = access control policy has denied access to id: {caller} \
         operation: {operation} verb: {verb}"
    )]
    Denied {
        /// The caller's SPIFFE id; empty where only the default action decided, as without mutual TLS.
        caller: String,
        /// The method asked for, without the first slash.
        operation: String,
        /// The HTTP method.
        verb: String,
    },
    /// There is a sidecar of that id, and no application behind it.
    #[error("rpc error: code = Internal desc = app channel is not initialized")]
    NoApplication,
    /// The application is there, and its answer is not.
    #[error("{0}")]
    Channel(#[source] BoxError),
}
