//! Configuration: `onGetConfiguration` and its like in `dapr/pkg/api/http/http.go`.

use dapr_building_blocks::configuration::ConfigurationRequest;
use dapr_runtime::{ApiError, Body};
use http::{Method, Response, StatusCode};
use serde_json::json;

use crate::response;
use crate::router::{Call, Endpoint, Version};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    get_endpoint(Version::V1),
    get_endpoint(Version::V1Alpha1),
    subscribe_endpoint(Version::V1),
    subscribe_endpoint(Version::V1Alpha1),
    unsubscribe_endpoint(Version::V1),
    unsubscribe_endpoint(Version::V1Alpha1),
];

const GET: &[Method] = &[Method::GET];
const GROUP: Option<&str> = Some("configuration");

const fn get_endpoint(version: Version) -> Endpoint {
    Endpoint::new(GET, version, "configuration/{store}", GROUP, "GetConfiguration", |call| Box::pin(get(call)))
}

const fn subscribe_endpoint(version: Version) -> Endpoint {
    Endpoint::new(GET, version, "configuration/{store}/subscribe", GROUP, "SubscribeConfiguration", |call| {
        Box::pin(subscribe(call))
    })
}

const fn unsubscribe_endpoint(version: Version) -> Endpoint {
    Endpoint::new(GET, version, "configuration/{store}/{id}/unsubscribe", GROUP, "UnsubscribeConfiguration", |call| {
        Box::pin(unsubscribe(call))
    })
}

fn request(call: &Call<'_>) -> ConfigurationRequest {
    ConfigurationRequest { keys: call.query.all("key"), metadata: call.query.metadata() }
}

async fn get(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let items = call.sidecar.get_configuration(&call.parameter("store"), request(&call)).await?;
    if items.is_empty() {
        return Ok(response::empty());
    }
    Ok(response::encoded(&items))
}

async fn subscribe(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let id = call.sidecar.subscribe_configuration(&call.parameter("store"), request(&call)).await?;
    Ok(response::encoded(&json!({ "id": id })))
}

async fn unsubscribe(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    match call.sidecar.unsubscribe_configuration(&call.parameter("store"), &call.parameter("id")) {
        Ok(()) => Ok(response::encoded(&json!({ "ok": true }))),
        Err(error) if error.code == "ERR_CONFIGURATION_UNSUBSCRIBE" => {
            let mut response = response::encoded(&json!({ "message": error.message }));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}
