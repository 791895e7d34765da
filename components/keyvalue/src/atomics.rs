//! `wasi:keyvalue/atomics`.

use crate::bindings::exports::wasi::keyvalue::atomics::{BucketBorrow, Cas, CasError, Guest, GuestCas};
use crate::bindings::exports::wasi::keyvalue::store::Error;
use crate::bucket::OpenBucket;
use crate::{KeyValue, data};

/// Value of a key at the start of a compare-and-swap.
pub struct CasHandle {
    bucket: String,
    key: String,
    value: Option<data::Value>,
}

impl CasHandle {
    fn now(bucket: &str, key: String) -> Self {
        let value = data::read(bucket, |values| values.get(&key).cloned());
        Self { bucket: bucket.to_owned(), key, value }
    }

    fn version(&self) -> Option<u64> {
        self.value.as_ref().map(|value| value.version)
    }
}

impl GuestCas for CasHandle {
    fn new(bucket: BucketBorrow<'_>, key: String) -> Result<Cas, Error> {
        Ok(Cas::new(Self::now(&bucket.get::<OpenBucket>().name, key)))
    }

    fn current(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.value.as_ref().map(|value| value.bytes.clone()))
    }
}

impl Guest for KeyValue {
    type Cas = CasHandle;

    /// Numbers are stored as decimal digits, readable for people and other programs.
    fn increment(bucket: BucketBorrow<'_>, key: String, delta: i64) -> Result<i64, Error> {
        let bucket = &bucket.get::<OpenBucket>().name;
        let number = match CasHandle::now(bucket, key.clone()).value {
            None => 0,
            Some(value) => number(&value.bytes).ok_or_else(|| Error::Other(format!("{key} holds no number")))?,
        };
        let sum = number.checked_add(delta).ok_or_else(|| Error::Other(format!("{key} would overflow")))?;
        data::write(bucket, key, sum.to_string().into_bytes());
        Ok(sum)
    }

    /// Compares versions and not values: a value that was changed and changed back counts as changed.
    fn swap(cas: Cas, value: Vec<u8>) -> Result<(), CasError> {
        let remembered = cas.get::<CasHandle>();
        let now = CasHandle::now(&remembered.bucket, remembered.key.clone());
        if now.version() != remembered.version() {
            return Err(CasError::CasFailed(Cas::new(now)));
        }
        data::write(&remembered.bucket, remembered.key.clone(), value);
        Ok(())
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
