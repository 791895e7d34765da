//! Secrets: `dapr/pkg/api/http/secrets.go`.

use std::collections::BTreeMap;

use dapr_building_blocks::secret::SecretValues;
use dapr_runtime::{ApiError, Body};
use http::{Method, Response};

use crate::response;
use crate::router::{Call, Endpoint, Version};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(&[Method::GET], Version::V1, "secrets/{store}/bulk", Some("secrets"), "GetBulkSecret", |call| {
        Box::pin(bulk_get(call))
    }),
    Endpoint::new(&[Method::GET], Version::V1, "secrets/{store}/{key}", Some("secrets"), "GetSecret", |call| {
        Box::pin(get(call))
    }),
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
