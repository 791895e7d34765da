//! `wasi:keyvalue/batch`.

use crate::bindings::exports::wasi::keyvalue::batch::{BucketBorrow, Guest};
use crate::bindings::exports::wasi::keyvalue::store::{Error, GuestBucket as _};
use crate::bucket::OpenBucket;
use crate::{KeyValue, index, state};

impl Guest for KeyValue {
    fn get_many(bucket: BucketBorrow<'_>, keys: Vec<String>) -> Result<Vec<Option<(String, Vec<u8>)>>, Error> {
        let bucket = bucket.get::<OpenBucket>();
        let pairs = keys.into_iter().map(|key| Ok(bucket.get(key.clone())?.map(|value| (key, value))));
        pairs.collect()
    }

    fn set_many(bucket: BucketBorrow<'_>, key_values: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        let bucket = bucket.get::<OpenBucket>();
        let names: Vec<&str> = key_values.iter().map(|(key, _)| key.as_str()).collect();
        index::add(&bucket.name, &names)?;
        key_values.into_iter().try_for_each(|(key, value)| state::write(&bucket.place(&key), value))
    }

    fn delete_many(bucket: BucketBorrow<'_>, keys: Vec<String>) -> Result<(), Error> {
        let bucket = bucket.get::<OpenBucket>();
        keys.iter().try_for_each(|key| state::delete(&bucket.place(key)))?;
        index::remove(&bucket.name, &keys.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
