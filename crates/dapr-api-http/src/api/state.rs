//! State: `dapr/pkg/api/http/http.go`.

mod request;

use dapr_building_blocks::state::{DeleteRequest, GetRequest};
use dapr_runtime::{ApiError, AppStateStore, Body, StateCallError};
use http::header::{ETAG, HeaderValue, IF_MATCH};
use http::{Method, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::fields::{self, fields};
use crate::response;
use crate::router::{Call, Endpoint, POST_OR_PUT, Version};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(POST_OR_PUT, Version::V1, "state/{store}/bulk", Some("state"), "GetBulkState", |call| {
        Box::pin(bulk_get(call))
    }),
    Endpoint::new(
        POST_OR_PUT,
        Version::V1,
        "state/{store}/transaction",
        Some("state"),
        "ExecuteStateTransaction",
        |call| Box::pin(transact(call)),
    ),
    Endpoint::new(POST_OR_PUT, Version::V1, "state/{store}", Some("state"), "SaveState", |call| Box::pin(save(call))),
    Endpoint::new(&[Method::GET], Version::V1, "state/{store}/{key}", Some("state"), "GetState", |call| {
        Box::pin(get(call))
    }),
    Endpoint::new(&[Method::DELETE], Version::V1, "state/{store}/{key}", Some("state"), "DeleteState", |call| {
        Box::pin(delete(call))
    }),
    Endpoint::new(POST_OR_PUT, Version::V1Alpha1, "state/{store}/query", Some("state"), "QueryStateAlpha1", |call| {
        Box::pin(query(call))
    }),
];

async fn get(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store, key) = (call.sidecar, call.parameter("store"), call.parameter("key"));
    let error = |error: &StateCallError| ApiError::state_get(&store, sidecar.app_id(), &key, error);
    let found = sidecar.state_store(&store).map_err(|e| error(&e))?;
    let request = GetRequest {
        key: key.clone(),
        metadata: call.query.metadata(),
        consistency: request::consistency(call.query.get("consistency")).unwrap_or_default(),
    };
    let Some(item) = found.get(request).await.map_err(|e| error(&e))? else { return Ok(response::empty()) };
    let mut response = response::data(StatusCode::OK, item.value);
    if let Some(etag) = item.etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        response.headers_mut().insert(ETAG, etag);
    }
    response::add_metadata(&mut response, &item.metadata);
    Ok(response)
}

async fn delete(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store, key) = (call.sidecar, call.parameter("store"), call.parameter("key"));
    let error = |error: &StateCallError| ApiError::state_delete(&store, sidecar.app_id(), &key, error);
    let found = sidecar.state_store(&store).map_err(|e| error(&e))?;
    let options = request::options(call.query.get("concurrency"), call.query.get("consistency"))
        .map_err(|why| ApiError::state_delete_options(&key, &why))?;
    let request = DeleteRequest {
        key: key.clone(),
        etag: call.headers().get(IF_MATCH).map(|etag| String::from_utf8_lossy(etag.as_bytes()).into_owned()),
        metadata: call.query.metadata(),
        options,
    };
    found.delete(request).await.map_err(|e| error(&e))?;
    Ok(response::empty())
}

async fn save(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store) = (call.sidecar, call.parameter("store"));
    let error = |error: &StateCallError| ApiError::state_save(&store, sidecar.app_id(), error);
    let found = sidecar.state_store(&store).map_err(|e| error(&e))?;
    let query_metadata = call.query.metadata();
    let body = go_compat::decode(&call.body().await?, "SetRequest.value").map_err(ApiError::malformed)?;
    let items = fields::items(&body, "[]state.SetRequest").map_err(ApiError::malformed)?;
    let mut requests = Vec::with_capacity(items.len());
    for item in items {
        let item = fields(item, "state.SetRequest").and_then(|item| request::set(&item, &query_metadata));
        let item = item.map_err(ApiError::malformed)?;
        if item.key.is_empty() {
            return Err(ApiError::malformed("\"key\" is a required field"));
        }
        requests.push(item);
    }
    let requests = requests.into_iter().map(request::Parsed::checked).collect::<Result<Vec<_>, _>>();
    let requests = requests.map_err(|why| ApiError::state_save_options(&store, &why))?;
    found.save(requests).await.map_err(|e| error(&e))?;
    Ok(response::empty())
}

#[derive(Serialize)]
struct BulkItem {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<serde_json::value::RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "dapr_building_blocks::Metadata::is_empty")]
    metadata: dapr_building_blocks::Metadata,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
}

async fn bulk_get(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store) = (call.sidecar, call.parameter("store"));
    let error = |error: &StateCallError| ApiError::state_bulk_get(&store, sidecar.app_id(), error);
    let found = sidecar.state_store(&store).map_err(|e| error(&e))?;
    let query_metadata = call.query.metadata();
    let body = go_compat::decode(&call.body().await?, "").map_err(ApiError::malformed_body)?;
    let (keys, mut metadata, parallelism) = request::bulk(&body).map_err(ApiError::malformed_body)?;
    metadata.extend(query_metadata);
    let requests =
        keys.iter().map(|key| GetRequest { key: key.clone(), metadata: metadata.clone(), ..GetRequest::default() });
    let results = found.bulk_get(requests.collect(), parallelism).await.map_err(|e| error(&e))?;
    let items: Vec<BulkItem> = keys
        .into_iter()
        .zip(results)
        .map(|(key, result)| {
            let mut item = BulkItem { key, data: None, etag: None, metadata: <_>::default(), error: String::new() };
            match result {
                Ok(Some(found)) => {
                    item.data = String::from_utf8(found.value.into())
                        .ok()
                        .and_then(|text| serde_json::value::RawValue::from_string(text).ok());
                    item.etag = found.etag;
                    item.metadata = found.metadata;
                }
                Ok(None) => {}
                Err(error) => item.error = error.to_string(),
            }
            item
        })
        .collect();
    response::structured(&items)
}

async fn transact(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store) = (call.sidecar, call.parameter("store"));
    let error = |error: &StateCallError| ApiError::state_transaction(&store, sidecar.app_id(), error);
    let found: AppStateStore<'_> = sidecar.state_store(&store).map_err(|e| error(&e))?;
    found.can_transact().map_err(|e| error(&e))?;
    let query_metadata = call.query.metadata();
    let body = go_compat::decode(&call.body().await?, "stateTransactionRequestBody.operations.request");
    let body = body.map_err(ApiError::malformed_body)?;
    let body = fields(&body, "http.stateTransactionRequestBody").map_err(ApiError::malformed_body)?;
    let operations = body.list("operations", "[]http.stateTransactionRequestBodyOperation");
    let operations = operations.map_err(ApiError::malformed_body)?;
    if operations.is_empty() {
        return Ok(response::empty());
    }
    let parsed = operations.iter().map(|operation| request::operation(operation, &query_metadata));
    let operations = parsed.collect::<Result<Vec<_>, _>>()?;
    let mut metadata = body.map("metadata").map_err(ApiError::malformed_body)?;
    metadata.extend(query_metadata);
    found.transact(operations, metadata).await.map_err(|e| error(&e))?;
    Ok(response::empty())
}

/// Rejects state queries.
///
/// No store here has a query language; Dapr gives the same error for a store that could have one.
async fn query(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store) = (call.sidecar, call.parameter("store"));
    sidecar.state_store(&store).map_err(|e| ApiError::state_query(&store, &e))?;
    Err(ApiError::query_unsupported(&store))
}

/// Renders a value as Dapr stores it: decoded and encoded again.
fn value(given: Option<&Value>) -> String {
    given.map_or_else(|| "null".to_owned(), go_compat::write)
}
