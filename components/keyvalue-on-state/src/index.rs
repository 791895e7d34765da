//! Index of a bucket's keys, stored in a separate record.
//!
//! Each name is its length in four bytes (little-endian), and its UTF-8: a name may hold any character.

use std::collections::BTreeSet;

use crate::bindings::exports::wasi::keyvalue::store::Error;
use crate::state;

/// Returns the store key of the index; no key of a bucket has the bucket's bare name.
fn record(bucket: &str) -> String {
    format!("{bucket}||")
}

/// Returns the store key of a bucket's key. Never equals the index's, not even for the empty key.
pub(crate) fn place(bucket: &str, key: &str) -> String {
    format!("{bucket}||={key}")
}

/// Reads all names in order.
pub(crate) fn names(bucket: &str) -> Result<BTreeSet<String>, Error> {
    let found = state::read(&record(bucket))?;
    decode(found.as_ref().map_or(&[], |item| &item.value))
}

/// Adds names before their records are written, so that every record has a name.
pub(crate) fn add(bucket: &str, new: &[&str]) -> Result<(), Error> {
    update(bucket, |names| {
        let before = names.len();
        names.extend(new.iter().map(|name| (*name).to_owned()));
        names.len() != before
    })
}

/// Removes names after their records are deleted.
pub(crate) fn remove(bucket: &str, old: &[&str]) -> Result<(), Error> {
    update(bucket, |names| {
        let before = names.len();
        old.iter().for_each(|name| {
            names.remove(*name);
        });
        names.len() != before
    })
}

fn update(bucket: &str, change: impl Fn(&mut BTreeSet<String>) -> bool) -> Result<(), Error> {
    state::change(&record(bucket), |bytes| {
        let mut names = decode(bytes.unwrap_or_default())?;
        Ok(change(&mut names).then(|| encode(&names)))
    })
}

fn encode(names: &BTreeSet<String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(name.as_bytes());
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Result<BTreeSet<String>, Error> {
    let damaged = || Error::Other("the record of the bucket's keys is damaged".to_owned());
    let mut names = BTreeSet::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
        let (name, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
        names.insert(String::from_utf8(name.to_vec()).map_err(|_| damaged())?);
        bytes = rest;
    }
    if bytes.is_empty() { Ok(names) } else { Err(damaged()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_characters_round_trip() {
        let names = BTreeSet::from(["", "a||b", "nul\0", "\u{1f9c0}\n"].map(str::to_owned));
        assert_eq!(decode(&encode(&names)).unwrap(), names);
        assert_eq!(decode(&[]).unwrap(), BTreeSet::new());
    }

    #[test]
    fn damaged_record_is_an_error() {
        for bytes in [&[1][..], &[1, 0, 0, 0], &[255, 255, 255, 255, 1], &[1, 0, 0, 0, 0xff]] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn no_key_collides_with_the_index() {
        assert_ne!(place("b", ""), record("b"));
    }
}
