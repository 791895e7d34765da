//! Secrets: `dapr/pkg/api/http/secrets.go`.

use std::collections::BTreeMap;

use dapr_building_blocks::secret::SecretValues;
use dapr_runtime::{ApiError, Body, Sidecar};
use http::Response;

use super::query::Query;
use crate::response;

pub(super) async fn get(sidecar: &Sidecar, store: &str, key: &str, query: &Query) -> Result<Response<Body>, ApiError> {
    let found = sidecar
        .secret(store, key, &query.metadata())
        .await
        .map_err(|error| ApiError::secret(store, Some(key), &error))?;
    Ok(response::encoded(&exposed(&found)))
}

pub(super) async fn bulk_get(sidecar: &Sidecar, store: &str, query: &Query) -> Result<Response<Body>, ApiError> {
    let found =
        sidecar.secrets(store, &query.metadata()).await.map_err(|error| ApiError::secret(store, None, &error))?;
    let all: BTreeMap<_, _> = found.iter().map(|(name, values)| (name, exposed(values))).collect();
    Ok(response::encoded(&all))
}

/// Exposes secret values for the response: the only place where the API reveals them.
fn exposed(values: &SecretValues) -> BTreeMap<&str, &str> {
    values.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}
