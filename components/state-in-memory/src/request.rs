//! Operations prepared so that only checks against the state can still fail.

use std::time::{Duration, SystemTime};

use crate::bindings::exports::dapr::components::state::{Concurrency, Error, Operation};

/// A write or a delete, with its conditions.
pub(crate) struct Prepared {
    pub(crate) key: String,
    /// Required etag of the key.
    pub(crate) etag: Option<String>,
    /// True if the key must not exist, without an etag.
    pub(crate) is_first_write: bool,
    /// The write; `None` for a delete.
    pub(crate) write: Option<Write>,
}

/// Contents of a write.
pub(crate) struct Write {
    pub(crate) value: Vec<u8>,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) content_type: Option<String>,
}

impl Prepared {
    pub(crate) fn new(operation: Operation, now: SystemTime) -> Result<Self, Error> {
        let (key, etag, concurrency, write) = match operation {
            Operation::Set(request) => {
                let ttl = time_to_live(&request.metadata)?;
                let write = Write {
                    value: request.value,
                    // An expiry beyond the range of times means none.
                    expires: ttl.and_then(|ttl| now.checked_add(ttl)),
                    content_type: request.content_type,
                };
                (request.key, request.etag, request.options.concurrency, Some(write))
            }
            Operation::Delete(request) => (request.key, request.etag, request.options.concurrency, None),
        };
        let etag = etag.filter(|etag| !etag.is_empty());
        Ok(Self { key, etag, is_first_write: concurrency == Concurrency::FirstWrite, write })
    }
}

/// Parses `ttlInSeconds`, with the error messages of Dapr's component, which are those of Go's `strconv`.
fn time_to_live(metadata: &[(String, String)]) -> Result<Option<Duration>, Error> {
    let found = metadata.iter().find(|(name, _)| name == "ttlInSeconds");
    let Some((_, text)) = found.filter(|(_, text)| !text.is_empty()) else { return Ok(None) };
    let refused = |why| Error::InvalidRequest(format!("strconv.Atoi: parsing {text:?}: {why}"));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused("invalid syntax"));
    }
    match text.parse::<i64>() {
        Ok(..=0) => Ok(None),
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds.unsigned_abs()))),
        Err(_) => Err(refused("value out of range")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Option<u64>, String> {
        match time_to_live(&[("ttlInSeconds".to_owned(), text.to_owned())]) {
            Ok(ttl) => Ok(ttl.map(|ttl| ttl.as_secs())),
            Err(Error::InvalidRequest(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_positive_ttl_expires() {
        assert_eq!(check("90"), Ok(Some(90)));
        assert_eq!(check("+1"), Ok(Some(1)));
        for forever in ["", "0", "-1", "-90"] {
            assert_eq!(check(forever), Ok(None), "{forever}");
        }
    }

    #[test]
    fn invalid_ttl_gives_daprs_message() {
        for wrong in ["soon", "1.5", "10s", "-", " 1"] {
            assert_eq!(check(wrong), Err(format!("strconv.Atoi: parsing {wrong:?}: invalid syntax")));
        }
        assert_eq!(check("99999999999"), Ok(Some(99_999_999_999)));
        for large in ["9223372036854775808", "99999999999999999999"] {
            assert_eq!(check(large), Err(format!("strconv.Atoi: parsing {large:?}: value out of range")));
        }
    }
}
