//! Output bindings: `onOutputBindingMessage` in `dapr/pkg/api/http/http.go`.

use dapr_building_blocks::binding::InvokeRequest;
use dapr_runtime::{ApiError, Body, Sidecar};
use http::{Request, Response, StatusCode};
use serde_json::Value;

use crate::fields::fields;
use crate::response;
use crate::trace::Trace;
use go_compat::JsonError;

pub(super) async fn invoke(sidecar: &Sidecar, name: &str, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let (head, body) = request.into_parts();
    let body = go_compat::decode(&sidecar.read_body(body).await?, "OutputBindingRequest.data")
        .map_err(ApiError::malformed_body)?;
    let mut request = read(&body).map_err(ApiError::malformed_body)?;
    // A request with invalid baggage has been rejected before.
    if let Ok(Some(trace)) = Trace::from_request(head.uri.path(), &head.headers) {
        trace.add_to_metadata(&mut request.metadata);
    }
    let output = sidecar.invoke_binding(name, request).await.map_err(|error| ApiError::binding(name, &error))?;
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
