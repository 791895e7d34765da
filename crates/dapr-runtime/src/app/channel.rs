//! The channel to an application: `dapr/pkg/channel/channel.go`.

use async_trait::async_trait;
use dapr_building_blocks::middleware::Body;
use http::{Request, Response};

use crate::InvokeError;

/// Carries requests to one application, whatever kind of program it is. It survives restarts of the application.
#[async_trait]
pub trait AppChannel: Send + Sync {
    /// Sends a request whose URI is path and query; returns the response once its headers are there.
    ///
    /// # Errors
    /// When the application gives no response. One that is overloaded gives a 503.
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError>;

    /// Waits until the application accepts requests.
    async fn ready(&self);
}
