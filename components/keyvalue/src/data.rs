//! All buckets.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// Keys and values of one bucket, in key order.
pub(crate) type Values = BTreeMap<String, Value>;

/// A value.
#[derive(Clone)]
pub(crate) struct Value {
    pub(crate) bytes: Vec<u8>,
    /// Number of the write, unique among all writes.
    pub(crate) version: u64,
}

#[derive(Default)]
struct Data {
    buckets: BTreeMap<String, Values>,
    writes: u64,
}

thread_local! {
    // A component has one thread.
    static DATA: RefCell<Data> = RefCell::default();
}

/// Reads a bucket; one without writes is empty.
pub(crate) fn read<T>(bucket: &str, look: impl FnOnce(&Values) -> T) -> T {
    DATA.with_borrow(|data| match data.buckets.get(bucket) {
        Some(values) => look(values),
        None => look(&Values::new()),
    })
}

/// Writes a value.
pub(crate) fn write(bucket: &str, key: String, bytes: Vec<u8>) {
    DATA.with_borrow_mut(|data| {
        data.writes += 1;
        let value = Value { bytes, version: data.writes };
        data.buckets.entry(bucket.to_owned()).or_default().insert(key, value);
    });
}

/// Deletes a key if it exists.
pub(crate) fn delete(bucket: &str, key: &str) {
    DATA.with_borrow_mut(|data| {
        if let Some(values) = data.buckets.get_mut(bucket) {
            values.remove(key);
        }
    });
}
