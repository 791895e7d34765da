//! The state store of the fake.

use bytes::Bytes;
use http::header::{ETAG, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{FakeDapr, error_response, reply};

/// A record of the fake's state store.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Stored value.
    pub value: Value,
    /// Etag: a number that grows with each write.
    pub etag: String,
    /// `ttlInSeconds` of the last write.
    pub ttl_seconds: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    key: String,
    value: Value,
    etag: Option<String>,
    #[serde(default)]
    metadata: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    options: Options,
}

#[derive(Deserialize, Default)]
struct Options {
    concurrency: Option<String>,
}

impl FakeDapr {
    /// Returns a stored record.
    #[must_use]
    pub fn record(&self, key: &str) -> Option<Record> {
        self.lock().records.get(key).cloned()
    }

    /// Returns all keys.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.lock().records.keys().cloned().collect()
    }

    /// Writes a record without the client, as another instance of the service would.
    pub fn put_record(&self, key: &str, value: Value) {
        let mut inner = self.lock();
        inner.writes += 1;
        let record = Record { value, etag: inner.writes.to_string(), ttl_seconds: None };
        inner.records.insert(key.to_owned(), record);
    }

    /// Runs `interference` after the next read of a record, before its response.
    pub fn after_next_read(&self, interference: impl FnOnce(&Self) + Send + 'static) {
        self.lock().interference = Some(Box::new(interference));
    }

    pub(super) fn answer_state(&self, request: &Request<Bytes>, rest: &[&str]) -> Response<Bytes> {
        match (request.method(), rest) {
            (&Method::GET, [key]) => self.read_record(key),
            (&Method::DELETE, [key]) => {
                self.lock().records.remove(*key);
                reply(StatusCode::NO_CONTENT, "")
            }
            (&Method::POST, []) => match serde_json::from_slice::<Vec<Item>>(request.body()) {
                Ok(items) => self.save_items(items),
                Err(error) => error_response(StatusCode::BAD_REQUEST, "ERR_MALFORMED_REQUEST", &error.to_string()),
            },
            _ => error_response(StatusCode::NOT_IMPLEMENTED, "ERR_FAKE", "the fake does not know this state call"),
        }
    }

    fn read_record(&self, key: &str) -> Response<Bytes> {
        let found = self.record(key);
        let interference = self.lock().interference.take();
        if let Some(interference) = interference {
            interference(self);
        }
        let Some(record) = found else { return reply(StatusCode::NO_CONTENT, "") };
        let mut response = reply(StatusCode::OK, record.value.to_string());
        if let Ok(etag) = HeaderValue::from_str(&record.etag) {
            response.headers_mut().insert(ETAG, etag);
        }
        response
    }

    fn save_items(&self, items: Vec<Item>) -> Response<Bytes> {
        for item in items {
            let current = self.record(&item.key).map(|record| record.etag);
            let first_write = item.options.concurrency.as_deref() == Some("first-write");
            if (item.etag.is_some() || first_write) && item.etag != current {
                return error_response(StatusCode::CONFLICT, "ERR_STATE_SAVE", "possible etag mismatch");
            }
            self.put_record(&item.key, item.value);
            let ttl_seconds = item.metadata.get("ttlInSeconds").cloned();
            if let Some(record) = self.lock().records.get_mut(&item.key) {
                record.ttl_seconds = ttl_seconds;
            }
        }
        reply(StatusCode::NO_CONTENT, "")
    }
}
