//! State: `/v1.0/state`.

use bytes::Bytes;
use http::header::{HeaderValue, IF_MATCH};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::operation::{DELETE, GET, GET_ALL, SAVE, TRANSACTION};
use super::super::{BulkRecord, CallOptions, Repeat, StoredRecord};
use super::{HttpBackend, read_json};
use crate::Error;
use crate::path::ApiPath;
use crate::state::{Consistency, Etag, Operation, Save, WriteOptions};

fn path(store: &str) -> ApiPath {
    ApiPath::new("/v1.0/state").segment(store)
}

pub(super) async fn get(
    backend: &HttpBackend,
    call_options: &CallOptions,
    store: &str,
    key: &str,
    consistency: Option<Consistency>,
) -> Result<Option<StoredRecord>, Error> {
    let mut path = path(store).segment(key);
    if let Some(consistency) = consistency {
        path = path.query("consistency", consistency.as_str());
    }
    let response =
        backend.send_checked(call_options, backend.build_call(call_options, GET, Method::GET, &path)?).await?;
    if response.status() == StatusCode::NO_CONTENT || response.body().is_empty() {
        return Ok(None);
    }
    let text = |name| header(response.headers(), name);
    let (etag, expires) = (text("etag").map(Etag::new), text("metadata.ttlexpiretime"));
    Ok(Some(StoredRecord { value: response.into_body(), etag, expires }))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}

#[derive(Serialize)]
struct Keys<'a> {
    keys: &'a [&'a str],
}

#[derive(Deserialize)]
struct Item {
    key: String,
    data: Option<Box<RawValue>>,
    etag: Option<String>,
    #[serde(default)]
    error: String,
}

pub(super) async fn get_all(
    backend: &HttpBackend,
    call_options: &CallOptions,
    store: &str,
    keys: &[&str],
) -> Result<Vec<BulkRecord>, Error> {
    let call = backend.build_call(call_options, GET_ALL, Method::POST, &path(store).segment("bulk"))?;
    let response = backend.send_checked(call_options, call.json(&Keys { keys })?.repeatable()).await?;
    let items: Vec<Item> = read_json(GET_ALL, &response)?.unwrap_or_default();
    Ok(items.into_iter().map(Item::found).collect())
}

impl Item {
    fn found(self) -> BulkRecord {
        let Self { key, data, etag, error } = self;
        if !error.is_empty() {
            return BulkRecord { key, record: Err(error) };
        }
        let etag = etag.filter(|etag| !etag.is_empty()).map(Etag::new);
        let value = data.map(|data| Bytes::from(Box::<str>::from(data).into_string()));
        BulkRecord { key, record: Ok(value.map(|value| StoredRecord { value, etag, expires: None })) }
    }
}

pub(super) async fn save(
    backend: &HttpBackend,
    call_options: &CallOptions,
    store: &str,
    records: &[Save<'_>],
) -> Result<(), Error> {
    let mut call = backend.build_call(call_options, SAVE, Method::POST, &path(store))?.json(&records)?;
    if records.iter().all(Save::is_unconditional) {
        call = call.repeatable();
    }
    backend.send_checked(call_options, call).await.map(drop)
}

pub(super) async fn delete(
    backend: &HttpBackend,
    call_options: &CallOptions,
    store: &str,
    key: &str,
    options: &WriteOptions,
) -> Result<(), Error> {
    let mut path = path(store).segment(key);
    if let Some(concurrency) = options.concurrency {
        path = path.query("concurrency", concurrency.as_str());
    }
    if let Some(consistency) = options.consistency {
        path = path.query("consistency", consistency.as_str());
    }
    let mut call = backend.build_call(call_options, DELETE, Method::DELETE, &path)?;
    if let Some(etag) = &options.etag {
        let value = HeaderValue::from_str(etag.as_str());
        let value = value.map_err(|error| Error::Form { operation: DELETE, source: error.into() })?;
        call.request.headers_mut().insert(IF_MATCH, value);
        // A second attempt would find nothing that matches the etag.
        call.repeat = Repeat::Never;
    }
    backend.send_checked(call_options, call).await.map(drop)
}

#[derive(Serialize)]
struct Transaction<'a> {
    operations: &'a [Operation<'a>],
}

pub(super) async fn transaction(
    backend: &HttpBackend,
    call_options: &CallOptions,
    store: &str,
    operations: &[Operation<'_>],
) -> Result<(), Error> {
    let call = backend.build_call(call_options, TRANSACTION, Method::POST, &path(store).segment("transaction"))?;
    backend.send_checked(call_options, call.json(&Transaction { operations })?).await.map(drop)
}
