//! Shutdown: `dapr/pkg/api/http/shutdown.go`.

use dapr_building_blocks::middleware::Peer;
use dapr_runtime::{ApiError, Body};
use http::{Method, Response};

use crate::response;
use crate::router::{Call, Endpoint, Version};

/// Header that requests a shutdown without waiting (`dapr/pkg/api/universal/shutdown.go`).
const FORCE_SHUTDOWN: &str = "dapr-force-shutdown";

pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new(&[Method::POST], Version::V1, "shutdown", Some("shutdown"), "Shutdown", |call| {
        Box::pin(shut_down(call))
    })];

async fn shut_down(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let force = call.headers().get(FORCE_SHUTDOWN);
    let is_forced = force.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    let app = call.sidecar.app_id();
    match call.request.extensions().get::<Peer>() {
        Some(Peer(peer)) => tracing::warn!(app, %peer, is_forced, "shutdown requested over the Dapr API"),
        None => tracing::warn!(app, is_forced, "shutdown requested by the application itself"),
    }
    call.sidecar.shut_down(is_forced);
    Ok(response::empty())
}
