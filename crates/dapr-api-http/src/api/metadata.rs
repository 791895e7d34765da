//! Metadata and health: `dapr/pkg/api/http/{metadata,healthz}.go`.

use std::collections::BTreeMap;

use dapr_runtime::{ApiError, Body, RUNTIME_VERSION, Sidecar};
use http::{Response, StatusCode};
use serde::Serialize;

use super::query::Query;
use crate::response;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    id: &'a str,
    runtime_version: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    enabled_features: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component<'a>>,
    extended: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    http_endpoints: Vec<HttpEndpoint<'a>>,
    app_connection_properties: Connection<'a>,
    actor_runtime: ActorRuntime,
}

#[derive(Serialize)]
struct Component<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    type_: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    capabilities: &'a [String],
}

#[derive(Serialize)]
struct HttpEndpoint<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "str::is_empty")]
    protocol: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    channel_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrency: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActorRuntime {
    runtime_status: &'static str,
    host_ready: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    placement: &'static str,
}

impl ActorRuntime {
    /// Reports the state of Dapr without a placement service.
    ///
    /// There are no actors here; Dapr reports the same once its application is up.
    fn new(sidecar: &Sidecar) -> Self {
        match sidecar.health().all() {
            true => Self { runtime_status: "DISABLED", host_ready: false, placement: "placement: disconnected" },
            false => Self { runtime_status: "INITIALIZING", host_ready: false, placement: "" },
        }
    }
}

pub(super) fn get(sidecar: &Sidecar) -> Response<Body> {
    let components = sidecar.components();
    let connection = sidecar.connection();
    let mut extended = sidecar.extended_metadata();
    extended.insert("daprRuntimeVersion".to_owned(), RUNTIME_VERSION.to_owned());
    let metadata = Metadata {
        id: sidecar.app_id(),
        runtime_version: RUNTIME_VERSION,
        enabled_features: sidecar.enabled_features(),
        components: components
            .loaded()
            .iter()
            .map(|it| Component {
                name: &it.name,
                type_: &it.type_,
                version: &it.version,
                capabilities: &it.capabilities,
            })
            .collect(),
        extended,
        http_endpoints: sidecar.http_endpoints().iter().map(|name| HttpEndpoint { name }).collect(),
        app_connection_properties: Connection {
            port: (connection.port != 0).then_some(connection.port),
            protocol: &connection.protocol,
            channel_address: &connection.channel_address,
            max_concurrency: (connection.max_concurrency != 0).then_some(connection.max_concurrency),
        },
        actor_runtime: ActorRuntime::new(sidecar),
    };
    response::structured(&metadata).unwrap_or_else(response::error)
}

pub(super) async fn put(sidecar: &Sidecar, key: String, body: Body) -> Result<Response<Body>, ApiError> {
    let value = sidecar.read_body(body).await?;
    sidecar.set_extended_metadata(key, String::from_utf8_lossy(&value).into_owned());
    Ok(response::empty())
}

pub(super) fn health(sidecar: &Sidecar, query: &Query) -> Result<Response<Body>, ApiError> {
    let expected = query.get("appid");
    if !expected.is_empty() && expected != sidecar.app_id() {
        return Err(health_error("ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match"));
    }
    if sidecar.health().all() {
        Ok(response::empty())
    } else {
        Err(health_error("ERR_HEALTH_NOT_READY", "dapr is not ready: [runtime]"))
    }
}

pub(super) fn outbound_health(sidecar: &Sidecar) -> Result<Response<Body>, ApiError> {
    if sidecar.health().outbound() { Ok(response::empty()) } else { Err(ApiError::outbound_not_ready()) }
}

fn health_error(code: &'static str, message: &str) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
}
