//! `wasi:keyvalue/batch`.

use crate::bindings::exports::wasi::keyvalue::batch::{BucketBorrow, Guest};
use crate::bindings::exports::wasi::keyvalue::store::{Error, GuestBucket as _};
use crate::bucket::OpenBucket;
use crate::{KeyValue, data};

impl Guest for KeyValue {
    fn get_many(bucket: BucketBorrow<'_>, keys: Vec<String>) -> Result<Vec<Option<(String, Vec<u8>)>>, Error> {
        let bucket = bucket.get::<OpenBucket>();
        let pairs = keys.into_iter().map(|key| Ok(bucket.get(key.clone())?.map(|value| (key, value))));
        pairs.collect()
    }

    fn set_many(bucket: BucketBorrow<'_>, key_values: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        let bucket = bucket.get::<OpenBucket>();
        key_values.into_iter().for_each(|(key, value)| data::write(&bucket.name, key, value));
        Ok(())
    }

    fn delete_many(bucket: BucketBorrow<'_>, keys: Vec<String>) -> Result<(), Error> {
        let bucket = bucket.get::<OpenBucket>();
        keys.iter().for_each(|key| data::delete(&bucket.name, key));
        Ok(())
    }
}
