//! `wasi:keyvalue/atomics`.

use crate::bindings::dapr::components::state::Item;
use crate::bindings::exports::wasi::keyvalue::atomics::{BucketBorrow, Cas, CasError, Guest, GuestCas};
use crate::bindings::exports::wasi::keyvalue::store::Error;
use crate::bucket::OpenBucket;
use crate::{KeyValue, index, state};

/// Value of a key at the start of a compare-and-swap.
pub struct CasHandle {
    bucket: String,
    key: String,
    item: Option<Item>,
}

impl CasHandle {
    fn now(bucket: &str, key: String) -> Result<Self, Error> {
        let item = state::read(&index::place(bucket, &key))?;
        Ok(Self { bucket: bucket.to_owned(), key, item })
    }
}

impl GuestCas for CasHandle {
    fn new(bucket: BucketBorrow<'_>, key: String) -> Result<Cas, Error> {
        Ok(Cas::new(Self::now(&bucket.get::<OpenBucket>().name, key)?))
    }

    fn current(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.item.as_ref().map(|item| item.value.clone()))
    }
}

impl Guest for KeyValue {
    type Cas = CasHandle;

    /// Numbers are stored as decimal digits, readable for people and other programs.
    fn increment(bucket: BucketBorrow<'_>, key: String, delta: i64) -> Result<i64, Error> {
        let bucket = bucket.get::<OpenBucket>();
        index::add(&bucket.name, &[&key])?;
        let mut sum = 0;
        state::change(&bucket.place(&key), |value| {
            let number = match value {
                None => 0,
                Some(bytes) => number(bytes).ok_or_else(|| Error::Other(format!("{key} holds no number")))?,
            };
            sum = number.checked_add(delta).ok_or_else(|| Error::Other(format!("{key} would overflow")))?;
            Ok(Some(sum.to_string().into_bytes()))
        })?;
        Ok(sum)
    }

    /// Compares etags and not values: a value that was changed and changed back counts as changed.
    fn swap(cas: Cas, value: Vec<u8>) -> Result<(), CasError> {
        let CasHandle { bucket, key, item } = cas.get::<CasHandle>();
        index::add(bucket, &[key]).map_err(CasError::StoreError)?;
        match state::write_after(item.as_ref(), &index::place(bucket, key), value) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let now = CasHandle::now(bucket, key.clone()).map_err(CasError::StoreError)?;
                if now.item.is_none() {
                    index::remove(bucket, &[key]).map_err(CasError::StoreError)?;
                }
                Err(CasError::CasFailed(Cas::new(now)))
            }
            Err(error) => Err(CasError::StoreError(error)),
        }
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
