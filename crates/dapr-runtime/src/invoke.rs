//! Invocation of other applications.

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::BoxError;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};

/// A streaming body.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Creates an empty body.
#[must_use]
pub fn empty_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Creates a body of the given bytes.
#[must_use]
pub fn full_body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Sends requests to applications.
#[async_trait]
pub trait Invoker: Send + Sync {
    /// Sends `request`, whose URI is just path and query, to the application `target`.
    async fn invoke(&self, target: &str, request: Request<Body>) -> Result<Response<Body>, InvokeError>;
}

/// An error of an invocation.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// No application has this id. The text is that of Dapr's mDNS resolver.
    #[error("couldn't find service: {target}")]
    Unknown {
        /// Requested app id.
        target: String,
    },
    /// The callee's access control denies the request. The text is that of `dapr/pkg/acl/acl.go`.
    #[error(
        "rpc error: code = PermissionDenied desc = access control policy has denied access to id: {caller} \
         operation: {operation} verb: {verb}"
    )]
    Denied {
        /// SPIFFE id of the caller; empty where only the default action decided, as without mutual TLS.
        caller: String,
        /// Requested method, without the leading slash.
        operation: String,
        /// HTTP method.
        verb: String,
    },
    /// The sidecar of that id has no application.
    #[error("rpc error: code = Internal desc = app channel is not initialized")]
    NoApplication,
    /// The application gave no response.
    #[error("{0}")]
    Channel(#[source] BoxError),
}
