//! Secrets: `dapr/pkg/api/http/secrets.go`.

use std::collections::BTreeMap;

use dapr_building_blocks::secret::SecretValues;
use dapr_runtime::{ApiError, Body};
use http::{Method, Response};

use crate::response;
use crate::router::{Audience, Call, Endpoint};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        methods: &[Method::GET],
        version: "v1.0",
        route: "secrets/{store}/bulk",
        group: Some("secrets"),
        name: "GetBulkSecret",
        audience: Audience::App,
        handler: |call| Box::pin(bulk_get(call)),
    },
    Endpoint {
        methods: &[Method::GET],
        version: "v1.0",
        route: "secrets/{store}/{key}",
        group: Some("secrets"),
        name: "GetSecret",
        audience: Audience::App,
        handler: |call| Box::pin(get(call)),
    },
];

async fn get(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (store, key) = (call.parameter("store"), call.parameter("key"));
    let found = call.sidecar.secret(&store, &key, &call.query.metadata()).await;
    let found = found.map_err(|error| ApiError::secret(&store, Some(&key), &error))?;
    Ok(response::encoded(&exposed(&found)))
}

async fn bulk_get(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let store = call.parameter("store");
    let found = call.sidecar.secrets(&store, &call.query.metadata()).await;
    let found = found.map_err(|error| ApiError::secret(&store, None, &error))?;
    let all: BTreeMap<_, _> = found.iter().map(|(name, values)| (name, exposed(values))).collect();
    Ok(response::encoded(&all))
}

/// Exposes secret values for the response: the only place where the API reveals them.
fn exposed(values: &SecretValues) -> BTreeMap<&str, &str> {
    values.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}
