//! Output bindings: `onOutputBindingMessage` in `dapr/pkg/api/http/http.go`.

use dapr_building_blocks::binding::InvokeRequest;
use dapr_runtime::{ApiError, Body};
use go_compat::JsonError;
use http::{Response, StatusCode};
use serde_json::Value;

use crate::fields::fields;
use crate::response;
use crate::router::{Call, Endpoint, POST_OR_PUT, Version};
use crate::trace::Trace;

pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new(POST_OR_PUT, Version::V1, "bindings/{name}", Some("bindings"), "InvokeOutputBinding", |call| {
        Box::pin(invoke(call))
    })];

async fn invoke(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, name) = (call.sidecar, call.parameter("name"));
    // A request with invalid baggage has been rejected before.
    let trace = Trace::from_request(call.request.uri().path(), call.headers()).ok().flatten();
    let body = go_compat::decode(&call.body().await?, "OutputBindingRequest.data").map_err(ApiError::malformed_body)?;
    let mut request = read(&body).map_err(ApiError::malformed_body)?;
    if let Some(trace) = trace {
        trace.add_to_metadata(&mut request.metadata);
    }
    let output = sidecar.invoke_binding(&name, request).await.map_err(|error| ApiError::binding(&name, &error))?;
    // A response without data and metadata is a nil response of Go's bindings.
    if output.data.is_none() && output.metadata.is_empty() {
        return Ok(response::empty());
    }
    let mut response = response::data(StatusCode::OK, output.data.unwrap_or_default());
    response::add_metadata(&mut response, &output.metadata);
    Ok(response)
}

fn read(body: &Value) -> Result<InvokeRequest, JsonError> {
    let body = fields(body, "http.OutputBindingRequest")?;
    Ok(InvokeRequest {
        operation: body.text("operation")?.unwrap_or_default(),
        data: body.get("data").map_or_else(|| "null".to_owned(), go_compat::write).into(),
        metadata: body.map("metadata")?,
    })
}
