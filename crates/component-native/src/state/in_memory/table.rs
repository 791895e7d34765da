//! Map behind `state.in-memory`, with the order in which its values expire.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use dapr_building_blocks::state::{Concurrency, Operation, StateItem, TTL_EXPIRE_TIME};
use dapr_building_blocks::{Metadata, StateError};
use jiff::Timestamp;
use uuid::Uuid;

use super::steady_clock;

#[derive(Default)]
pub(super) struct Table {
    values: HashMap<Arc<str>, Value>,
    // Expiry times, soonest first; exactly the keys of `values` that expire.
    expiries: BTreeSet<(Timestamp, Arc<str>)>,
}

struct Value {
    bytes: Bytes,
    etag: Uuid,
    expires: Option<Timestamp>,
}

impl Table {
    /// Returns the value of `key`, unless it has expired.
    pub(super) fn get(&self, key: &str) -> Option<StateItem> {
        let value = self.values.get(key)?;
        let metadata = match value.expires {
            None => Metadata::new(),
            Some(expires) if expires <= steady_clock::now() => return None,
            Some(expires) => Metadata::from([(TTL_EXPIRE_TIME.to_owned(), rfc3339(expires))]),
        };
        Some(StateItem { value: value.bytes.clone(), etag: Some(value.etag.to_string()), metadata, content_type: None })
    }

    /// Removes values that have expired by `now`. Each write calls this, so that no timer is needed.
    pub(super) fn drop_expired(&mut self, now: Timestamp) {
        while let Some((expires, _)) = self.expiries.first() {
            if *expires > now {
                break;
            }
            if let Some((_, key)) = self.expiries.pop_first() {
                self.values.remove(&key);
            }
        }
    }

    /// Checks the etag and concurrency of `operation` against the table. Expired values must have been dropped.
    pub(super) fn check(&self, operation: &Operation) -> Result<(), StateError> {
        let (key, etag, concurrency) = match operation {
            Operation::Upsert(request) => (&request.key, request.required_etag(), request.options.concurrency),
            Operation::Delete(request) => (&request.key, request.required_etag(), request.options.concurrency),
        };
        let current = self.values.get(key.as_str());
        match (etag, concurrency) {
            (Some(given), _) => match current {
                None => Err(conflict(format!("state not exist or expired for key={key}"))),
                Some(value) if !is_written_as(value.etag, given) => {
                    let current = value.etag;
                    Err(conflict(format!("state etag not match for key={key}: current={current}, expect={given}")))
                }
                Some(_) => Ok(()),
            },
            (None, Concurrency::FirstWrite) if current.is_some() => {
                Err(conflict("item already exists and no etag was passed".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Applies an operation that passed [`check`](Self::check).
    pub(super) fn apply(&mut self, operation: Operation, expires: Option<Timestamp>) {
        match operation {
            Operation::Upsert(request) => {
                self.remove(&request.key);
                let key: Arc<str> = request.key.into();
                if let Some(expires) = expires {
                    self.expiries.insert((expires, key.clone()));
                }
                self.values.insert(key, Value { bytes: request.value, etag: Uuid::new_v4(), expires });
            }
            Operation::Delete(request) => self.remove(&request.key),
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, Value { expires: Some(expires), .. })) = self.values.remove_entry(key) {
            self.expiries.remove(&(expires, key));
        }
    }
}

/// Returns an etag error with the text of Dapr's component.
fn conflict(why: String) -> StateError {
    StateError::EtagMismatch(Some(why.into()))
}

fn is_written_as(etag: Uuid, text: &str) -> bool {
    etag.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text
}

/// Formats whole seconds like Go's `time.RFC3339`.
fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use dapr_building_blocks::state::SetRequest;

    use super::*;

    #[test]
    fn expired_value_is_hidden_and_removed_by_next_write() {
        let mut table = Table::default();
        let past = Timestamp::from_second(1_000).unwrap();
        table.apply(Operation::Upsert(SetRequest::new("k", "v")), Some(past));
        assert_eq!(table.get("k"), None);
        assert_eq!(table.values.len(), 1);
        table.drop_expired(Timestamp::now());
        assert!(table.values.is_empty() && table.expiries.is_empty());
    }

    #[test]
    fn rewriting_a_value_removes_its_old_expiry() {
        let mut table = Table::default();
        let future = "2999-01-02T03:04:05.678Z".parse().unwrap();
        table.apply(Operation::Upsert(SetRequest::new("k", "v")), Some(future));
        assert_eq!(table.get("k").unwrap().metadata[TTL_EXPIRE_TIME], "2999-01-02T03:04:05Z");
        table.apply(Operation::Upsert(SetRequest::new("k", "w")), None);
        assert!(table.expiries.is_empty());
        assert!(table.get("k").unwrap().metadata.is_empty());
    }
}
