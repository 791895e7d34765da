//! All buckets.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// Keys and values of one bucket, in the order of the keys.
pub(crate) type Values = BTreeMap<String, Value>;

/// One value.
#[derive(Clone)]
pub(crate) struct Value {
    pub(crate) bytes: Vec<u8>,
    /// Which write of all made it; no two are the same.
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

/// Looks into a bucket; one that nobody has written to is empty.
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

/// Deletes a key, if it is there.
pub(crate) fn delete(bucket: &str, key: &str) {
    DATA.with_borrow_mut(|data| {
        if let Some(values) = data.buckets.get_mut(bucket) {
            values.remove(key);
        }
    });
}
