//! `wasi:keyvalue/store`.

use std::ops::Bound;

use crate::bindings::exports::wasi::keyvalue::store::{Error, GuestBucket, KeyResponse};
use crate::{index, state};

/// Keys on one page.
const PAGE_SIZE: usize = 100;

/// An open bucket: only a name, so that all handles see the same data.
pub struct OpenBucket {
    pub(crate) name: String,
}

impl OpenBucket {
    pub(crate) fn place(&self, key: &str) -> String {
        index::place(&self.name, key)
    }
}

impl GuestBucket for OpenBucket {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        Ok(state::read(&self.place(&key))?.map(|item| item.value))
    }

    fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        index::add(&self.name, &[&key])?;
        state::write(&self.place(&key), value)
    }

    fn delete(&self, key: String) -> Result<(), Error> {
        state::delete(&self.place(&key))?;
        index::remove(&self.name, &[&key])
    }

    fn exists(&self, key: String) -> Result<bool, Error> {
        Ok(state::read(&self.place(&key))?.is_some())
    }

    /// The cursor is the last key of the previous page, so that it stays valid after writes.
    fn list_keys(&self, cursor: Option<String>) -> Result<KeyResponse, Error> {
        let names = index::names(&self.name)?;
        let begin = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut keys: Vec<String> = names.range((begin, Bound::Unbounded)).take(PAGE_SIZE + 1).cloned().collect();
        let is_last = keys.len() <= PAGE_SIZE;
        keys.truncate(PAGE_SIZE);
        let cursor = if is_last { None } else { keys.last().cloned() };
        Ok(KeyResponse { keys, cursor })
    }
}
