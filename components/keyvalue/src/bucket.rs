//! `wasi:keyvalue/store`.

use std::ops::Bound;

use crate::bindings::exports::wasi::keyvalue::store::{Error, GuestBucket, KeyResponse};
use crate::data;

/// Keys of one page.
const PAGE: usize = 100;

/// A bucket as its user holds it: a name, so that all who hold it see the same.
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

    /// A cursor is the last key of the page before, so that it means the same after writes.
    fn list_keys(&self, cursor: Option<String>) -> Result<KeyResponse, Error> {
        let begin = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut keys: Vec<String> = data::read(&self.name, |values| {
            let from = values.range((begin, Bound::Unbounded));
            from.map(|(key, _)| key.clone()).take(PAGE + 1).collect()
        });
        let is_last = keys.len() <= PAGE;
        keys.truncate(PAGE);
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
    fn two_who_open_one_name_share_a_bucket_and_others_do_not() {
        bucket("a").set("k".into(), vec![1]).unwrap();
        assert_eq!(bucket("a").get("k".into()).unwrap(), Some(vec![1]));
        assert_eq!(bucket("b").get("k".into()).unwrap(), None);
        bucket("a").delete("k".into()).unwrap();
        assert!(!bucket("a").exists("k".into()).unwrap());
    }

    #[test]
    fn pages_follow_each_other_without_gaps_also_when_the_last_key_goes_away() {
        let bucket = bucket("pages");
        for number in 0..250 {
            bucket.set(format!("{number:03}"), vec![]).unwrap();
        }
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = bucket.list_keys(cursor).unwrap();
            assert!(page.keys.len() <= PAGE);
            found.extend(page.keys);
            let Some(last) = page.cursor else { break };
            bucket.delete(last.clone()).unwrap();
            cursor = Some(last);
        }
        assert_eq!(found, (0..250).map(|number| format!("{number:03}")).collect::<Vec<_>>());
    }
}
