//! Metadata: `dapr/pkg/api/http/metadata.go`.

use std::collections::BTreeMap;

use dapr_runtime::{ApiError, Body, RUNTIME_VERSION, Rule, Sidecar, Subscription};
use http::{Method, Response};
use serde::Serialize;

use crate::response;
use crate::router::{Audience, Call, Endpoint, Version};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(&[Method::GET], Version::V1, "metadata", Some("metadata"), "GetMetadata", |call| Box::pin(get(call)))
        .with_audience(Audience::Public),
    Endpoint::new(&[Method::PUT], Version::V1, "metadata/{key}", Some("metadata"), "SetMetadata", |call| {
        Box::pin(put(call))
    }),
];

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
    subscriptions: Vec<SubscriptionEntry<'a>>,
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
#[serde(rename_all = "camelCase")]
struct SubscriptionEntry<'a> {
    #[serde(rename = "pubsubname", skip_serializing_if = "str::is_empty")]
    pubsub: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    topic: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleEntry<'a>>,
    dead_letter_topic: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct RuleEntry<'a> {
    #[serde(rename = "match", skip_serializing_if = "str::is_empty")]
    condition: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
}

impl<'a> SubscriptionEntry<'a> {
    fn new(subscription: &'a Subscription) -> Self {
        let rule = |rule: &'a Rule| RuleEntry { condition: rule.condition(), path: &rule.path };
        Self {
            pubsub: &subscription.pubsub,
            topic: &subscription.topic,
            metadata: &subscription.metadata,
            rules: subscription.rules.iter().map(rule).collect(),
            dead_letter_topic: &subscription.dead_letter_topic,
            kind: subscription.kind.as_str(),
        }
    }
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

async fn get(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let sidecar = call.sidecar;
    let components = sidecar.components();
    let subscriptions = sidecar.subscriptions();
    let connection = sidecar.connection();
    let mut extended = sidecar.extended_metadata();
    extended.insert("daprRuntimeVersion".to_owned(), RUNTIME_VERSION.to_owned());
    let http_endpoints = sidecar.http_endpoints();
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
        subscriptions: subscriptions.iter().map(SubscriptionEntry::new).collect(),
        http_endpoints: http_endpoints.iter().map(|name| HttpEndpoint { name }).collect(),
        app_connection_properties: Connection {
            port: (connection.port != 0).then_some(connection.port),
            protocol: &connection.protocol,
            channel_address: &connection.channel_address,
            max_concurrency: (connection.max_concurrency != 0).then_some(connection.max_concurrency),
        },
        actor_runtime: ActorRuntime::new(sidecar),
    };
    response::structured(&metadata)
}

async fn put(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, key) = (call.sidecar, call.parameter("key"));
    let value = call.body().await?;
    sidecar.set_extended_metadata(key, String::from_utf8_lossy(&value).into_owned());
    Ok(response::empty())
}
