//! Health: `dapr/pkg/api/http/healthz.go`.

use dapr_runtime::{ApiError, Body};
use http::{Method, Response};

use crate::response;
use crate::router::{Audience, Call, Endpoint, Version};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(&[Method::GET], Version::V1, "healthz", None, "Healthz", |call| Box::pin(health(call)))
        .with_audience(Audience::Everyone),
    Endpoint::new(&[Method::GET], Version::V1, "healthz/outbound", None, "HealthzOutbound", |call| {
        Box::pin(outbound_health(call))
    })
    .with_audience(Audience::Everyone),
];

async fn health(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let expected = call.query.get("appid");
    if !expected.is_empty() && expected != call.sidecar.app_id() {
        return Err(ApiError::internal("ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match"));
    }
    if !call.sidecar.health().all() {
        return Err(ApiError::internal("ERR_HEALTH_NOT_READY", "dapr is not ready: [runtime]"));
    }
    Ok(response::empty())
}

async fn outbound_health(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    if call.sidecar.health().outbound() { Ok(response::empty()) } else { Err(ApiError::outbound_not_ready()) }
}
