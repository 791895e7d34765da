//! `wasi:keyvalue/store`.

use std::ops::Bound;

use crate::bindings::exports::wasi::keyvalue::store::{Error, GuestBucket, KeyResponse};
use crate::data;

/// Keys on one page.
const PAGE_SIZE: usize = 100;

/// An open bucket: only a name, so that all handles see the same data.
pub struct OpenBucket {
    pub(crate) name: String,
}

impl GuestBucket for OpenBucket {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        Ok(data::read(&self.name, |values| values.get(&key).map(|value| value.bytes.clone())))
    }

    fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        data::write(&self.name, key, value);
        Ok(())
    }

    fn delete(&self, key: String) -> Result<(), Error> {
        data::delete(&self.name, &key);
        Ok(())
    }

    fn exists(&self, key: String) -> Result<bool, Error> {
        Ok(data::read(&self.name, |values| values.contains_key(&key)))
    }

    /// The cursor is the last key of the previous page, so that it stays valid after writes.
    fn list_keys(&self, cursor: Option<String>) -> Result<KeyResponse, Error> {
        let begin = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut keys: Vec<String> = data::read(&self.name, |values| {
            let from = values.range((begin, Bound::Unbounded));
            from.map(|(key, _)| key.clone()).take(PAGE_SIZE + 1).collect()
        });
        let is_last = keys.len() <= PAGE_SIZE;
        keys.truncate(PAGE_SIZE);
        let cursor = if is_last { None } else { keys.last().cloned() };
        Ok(KeyResponse { keys, cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str) -> OpenBucket {
        OpenBucket { name: name.to_owned() }
    }

    #[test]
    fn handles_of_one_name_share_a_bucket() {
        bucket("a").set("k".into(), vec![1]).unwrap();
        assert_eq!(bucket("a").get("k".into()).unwrap(), Some(vec![1]));
        assert_eq!(bucket("b").get("k".into()).unwrap(), None);
        bucket("a").delete("k".into()).unwrap();
        assert!(!bucket("a").exists("k".into()).unwrap());
    }

    #[test]
    fn pages_have_no_gaps_after_the_cursor_key_is_deleted() {
        let bucket = bucket("pages");
        for number in 0..250 {
            bucket.set(format!("{number:03}"), vec![]).unwrap();
        }
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = bucket.list_keys(cursor).unwrap();
            assert!(page.keys.len() <= PAGE_SIZE);
            found.extend(page.keys);
            let Some(last) = page.cursor else { break };
            bucket.delete(last.clone()).unwrap();
            cursor = Some(last);
        }
        assert_eq!(found, (0..250).map(|number| format!("{number:03}")).collect::<Vec<_>>());
    }
}
