//! The state, with its expiry times.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::rc::Rc;
use std::time::SystemTime;

use dapr_component::state::{Error, Item, TTL_EXPIRE_TIME};
use jiff::Timestamp;

use crate::request::{Prepared, Write};

/// Keys, values, and their size.
pub(crate) struct Table {
    values: HashMap<Rc<str>, Value>,
    // Expiry times, soonest first; exactly the keys of `values` that have one.
    expiries: BTreeSet<(SystemTime, Rc<str>)>,
    // Bytes of all keys and values.
    bytes: usize,
    max_bytes: usize,
    // Etags start at a random number, so that values of an earlier instance do not match.
    next_etag: u128,
}

struct Value {
    bytes: Vec<u8>,
    etag: u128,
    expires: Option<SystemTime>,
    content_type: Option<String>,
}

impl Table {
    /// Creates an empty table with a size limit in bytes.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let random = RandomState::new();
        let [high, low] = [0, 1].map(|half: u8| u128::from(random.hash_one(half)));
        Self {
            values: HashMap::new(),
            expiries: BTreeSet::new(),
            bytes: 0,
            max_bytes,
            next_etag: (high << 64 | low) >> 1,
        }
    }

    /// Returns the value of `key`, unless it has expired by `now`.
    pub(crate) fn get(&self, key: &str, now: SystemTime) -> Option<Item> {
        let value = self.values.get(key)?;
        let metadata = match value.expires {
            None => Vec::new(),
            Some(expires) if expires <= now => return None,
            Some(expires) => vec![(TTL_EXPIRE_TIME.to_owned(), rfc3339(expires))],
        };
        Some(Item {
            value: value.bytes.clone(),
            etag: Some(written(value.etag)),
            metadata,
            content_type: value.content_type.clone(),
        })
    }

    /// Applies all operations in order, or none. As in Dapr's component, every etag is compared with the state before
    /// the transaction.
    pub(crate) fn transact(&mut self, operations: Vec<Prepared>, now: SystemTime) -> Result<(), Error> {
        // Each write removes expired values, so that no timer is needed.
        self.drop_expired(now);
        for operation in &operations {
            self.check(operation)?;
        }
        self.check_room(&operations)?;
        for operation in operations {
            self.remove(&operation.key);
            if let Some(write) = operation.write {
                self.insert(operation.key, write);
            }
        }
        Ok(())
    }

    fn drop_expired(&mut self, now: SystemTime) {
        while self.expiries.first().is_some_and(|(expires, _)| *expires <= now) {
            if let Some((_, key)) = self.expiries.pop_first() {
                self.remove(&key);
            }
        }
    }

    /// Checks etag and concurrency of an operation.
    fn check(&self, operation: &Prepared) -> Result<(), Error> {
        let current = self.values.get(operation.key.as_str());
        let why = match (&operation.etag, current) {
            (Some(_), None) => format!("state not exist or expired for key={}", operation.key),
            (Some(given), Some(value)) if written(value.etag) != *given => {
                let current = written(value.etag);
                format!("state etag not match for key={}: current={current}, expect={given}", operation.key)
            }
            (None, Some(_)) if operation.is_first_write => "item already exists and no etag was passed".to_owned(),
            _ => return Ok(()),
        };
        Err(Error::etag_mismatch(why))
    }

    /// Checks that all writes fit. Values that they replace or delete still count, because they exist until the end.
    fn check_room(&self, operations: &[Prepared]) -> Result<(), Error> {
        let writes = operations.iter().filter_map(|operation| Some((operation, operation.write.as_ref()?)));
        let more: usize = writes.map(|(operation, write)| operation.key.len() + write.value.len()).sum();
        let wanted = self.bytes.saturating_add(more);
        if more > 0 && wanted > self.max_bytes {
            let most = self.max_bytes;
            return Err(Error::other(format!("the store is full: {wanted} bytes, but maxBytes is {most}")));
        }
        Ok(())
    }

    fn insert(&mut self, key: String, write: Write) {
        let key: Rc<str> = key.into();
        let Write { value: bytes, expires, content_type } = write;
        if let Some(expires) = expires {
            self.expiries.insert((expires, key.clone()));
        }
        let etag = self.next_etag;
        self.next_etag = etag.wrapping_add(1);
        self.bytes += key.len() + bytes.len();
        self.values.insert(key, Value { bytes, etag, expires, content_type });
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, value)) = self.values.remove_entry(key) {
            self.bytes -= key.len() + value.bytes.len();
            if let Some(expires) = value.expires {
                self.expiries.remove(&(expires, key));
            }
        }
    }
}

fn written(etag: u128) -> String {
    format!("{etag:032x}")
}

/// Formats a time in UTC with whole seconds, like Go's `time.RFC3339`.
fn rfc3339(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn write(key: &str, value: &str, expires: Option<SystemTime>) -> Prepared {
        let write = Write { value: value.into(), expires, content_type: None };
        Prepared { key: key.to_owned(), etag: None, is_first_write: false, write: Some(write) }
    }

    fn delete(key: &str) -> Prepared {
        Prepared { key: key.to_owned(), etag: None, is_first_write: false, write: None }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn value(table: &Table, key: &str, now: u64) -> Option<String> {
        table.get(key, at(now)).map(|item| String::from_utf8(item.value).unwrap())
    }

    #[test]
    fn expired_value_is_invisible_and_removed_by_the_next_write() {
        let mut table = Table::new(100);
        table.transact(vec![write("k", "v", Some(at(10)))], at(0)).unwrap();
        let metadata = table.get("k", at(9)).unwrap().metadata;
        assert_eq!(metadata, [("ttlExpireTime".to_owned(), "1970-01-01T00:00:10Z".to_owned())]);
        assert_eq!(value(&table, "k", 10), None);
        assert_eq!(table.values.len(), 1);
        table.transact(vec![], at(10)).unwrap();
        assert!(table.values.is_empty() && table.expiries.is_empty() && table.bytes == 0);
    }

    #[test]
    fn rewriting_a_value_replaces_its_expiry() {
        let mut table = Table::new(100);
        table.transact(vec![write("k", "v", Some(at(10)))], at(0)).unwrap();
        table.transact(vec![write("k", "w", None)], at(0)).unwrap();
        assert!(table.expiries.is_empty() && table.bytes == 2);
        assert_eq!(value(&table, "k", 1_000).as_deref(), Some("w"));
    }

    #[test]
    fn full_store_rejects_writes_and_keeps_its_values() {
        let mut table = Table::new(10);
        table.transact(vec![write("k", "12345", None)], at(0)).unwrap();
        let refused = table.transact(vec![delete("k"), write("l", "12345", None)], at(0)).unwrap_err();
        assert!(matches!(&refused, Error::Other(why) if why.contains("full")), "{refused:?}");
        assert_eq!(value(&table, "k", 0).as_deref(), Some("12345"));
        table.transact(vec![delete("k")], at(0)).unwrap();
        table.transact(vec![write("l", "12345", None)], at(0)).unwrap();
    }

    #[test]
    fn failed_check_prevents_the_whole_transaction() {
        let mut table = Table::new(100);
        let stale = Prepared { etag: Some("stale".to_owned()), ..write("b", "2", None) };
        assert!(table.transact(vec![write("a", "1", None), stale], at(0)).is_err());
        assert_eq!(value(&table, "a", 0), None);
    }

    #[test]
    fn etags_are_unique_across_instances() {
        let mut etags = BTreeSet::new();
        for _ in 0..2 {
            let mut table = Table::new(100);
            for _ in 0..3 {
                table.transact(vec![write("k", "v", None)], at(0)).unwrap();
                assert!(etags.insert(table.get("k", at(0)).unwrap().etag.unwrap()));
            }
        }
    }
}
