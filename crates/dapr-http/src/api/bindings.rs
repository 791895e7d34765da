//! Output bindings: `onOutputBindingMessage` in `dapr/pkg/api/http/http.go`.

use building_blocks::binding::InvokeRequest;
use http::{Request, Response, StatusCode};
use serde_json::Value;
use sidecar::{Body, Refusal, Sidecar};

use crate::fields::fields;
use crate::response;
use crate::trace::Trace;
use go_json::JsonError;

pub(super) async fn invoke(sidecar: &Sidecar, name: &str, request: Request<Body>) -> Result<Response<Body>, Refusal> {
    let (head, body) = request.into_parts();
    let body =
        go_json::decode(&sidecar.whole(body).await?, "OutputBindingRequest.data").map_err(Refusal::malformed_body)?;
    let mut request = read(&body).map_err(Refusal::malformed_body)?;
    // A request whose baggage is wrong does not come this far.
    if let Ok(Some(trace)) = Trace::of(head.uri.path(), &head.headers) {
        trace.tell(&mut request.metadata);
    }
    let answer = sidecar.invoke_binding(name, request).await.map_err(|error| Refusal::binding(name, &error))?;
    // Neither data nor metadata is what Go's bindings mean by a nil response.
    if answer.data.is_none() && answer.metadata.is_empty() {
        return Ok(response::empty());
    }
    let mut response = response::data(StatusCode::OK, answer.data.unwrap_or_default());
    response::add_metadata(&mut response, &answer.metadata);
    Ok(response)
}

fn read(body: &Value) -> Result<InvokeRequest, JsonError> {
    let body = fields(body, "http.OutputBindingRequest")?;
    Ok(InvokeRequest {
        operation: body.text("operation")?.unwrap_or_default(),
        data: body.get("data").map_or_else(|| "null".to_owned(), go_json::write).into(),
        metadata: body.map("metadata")?,
    })
}
