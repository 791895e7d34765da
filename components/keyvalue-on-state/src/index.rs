//! The names of a bucket's keys, in a record of their own.
//!
//! Each name is its length in four bytes, the lowest first, and its UTF-8: a name may hold any character.

use std::collections::BTreeSet;

use crate::bindings::exports::wasi::keyvalue::store::Error;
use crate::state;

/// What the index is called; no key of a bucket has the bucket's bare name.
fn record(bucket: &str) -> String {
    format!("{bucket}||")
}

/// The key of the store that has a key of a bucket. Never that of the index, which the empty key would have.
pub(crate) fn place(bucket: &str, key: &str) -> String {
    format!("{bucket}||={key}")
}

/// All names, in their order.
pub(crate) fn names(bucket: &str) -> Result<BTreeSet<String>, Error> {
    let found = state::read(&record(bucket))?;
    decoded(found.as_ref().map_or(&[], |item| &item.value))
}

/// Adds names before their records are written, so that no record is without a name.
pub(crate) fn add(bucket: &str, new: &[&str]) -> Result<(), Error> {
    changed(bucket, |names| {
        let before = names.len();
        names.extend(new.iter().map(|name| (*name).to_owned()));
        names.len() != before
    })
}

/// Takes names away after their records are.
pub(crate) fn remove(bucket: &str, old: &[&str]) -> Result<(), Error> {
    changed(bucket, |names| {
        let before = names.len();
        old.iter().for_each(|name| {
            names.remove(*name);
        });
        names.len() != before
    })
}

fn changed(bucket: &str, change: impl Fn(&mut BTreeSet<String>) -> bool) -> Result<(), Error> {
    state::change(&record(bucket), |bytes| {
        let mut names = decoded(bytes.unwrap_or_default())?;
        Ok(change(&mut names).then(|| encoded(&names)))
    })
}

fn encoded(names: &BTreeSet<String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(name.as_bytes());
    }
    bytes
}

fn decoded(mut bytes: &[u8]) -> Result<BTreeSet<String>, Error> {
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
    fn names_of_any_characters_come_back() {
        let names = BTreeSet::from(["", "a||b", "nul\0", "\u{1f9c0}\n"].map(str::to_owned));
        assert_eq!(decoded(&encoded(&names)).unwrap(), names);
        assert_eq!(decoded(&[]).unwrap(), BTreeSet::new());
    }

    #[test]
    fn a_damaged_record_is_an_error() {
        for bytes in [&[1][..], &[1, 0, 0, 0], &[255, 255, 255, 255, 1], &[1, 0, 0, 0, 0xff]] {
            assert!(decoded(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn no_key_is_kept_where_the_index_is() {
        assert_ne!(place("b", ""), record("b"));
    }
}
