//! Writes and deletes, validated before they are sent.

use redis_layout::NO_ETAG;

use crate::bindings::exports::dapr::components::state::{Concurrency, DeleteRequest, Error, SetRequest};

/// A write, as the script expects it.
pub(crate) struct Write<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a [u8],
    /// Required version of the key.
    pub(crate) etag: String,
    pub(crate) is_first: bool,
    /// Time to live in seconds, zero for none, or `None` to leave it unchanged.
    ttl: Option<u64>,
}

impl<'a> Write<'a> {
    pub(crate) fn new(request: &'a SetRequest, default_ttl: Option<u64>) -> Result<Self, Error> {
        Ok(Self {
            key: &request.key,
            value: &request.value,
            etag: version(request)?,
            is_first: request.options.concurrency == Concurrency::FirstWrite,
            ttl: time_to_live(&request.metadata)?.or(default_ttl),
        })
    }

    pub(crate) fn ttl_argument(&self) -> String {
        self.ttl.map_or_else(String::new, |seconds| seconds.to_string())
    }
}

/// A delete, as the script expects it.
pub(crate) struct Delete<'a> {
    pub(crate) key: &'a str,
    pub(crate) etag: &'a str,
}

impl<'a> Delete<'a> {
    pub(crate) fn new(request: &'a DeleteRequest) -> Self {
        Self { key: &request.key, etag: given(request.etag.as_deref()).unwrap_or(NO_ETAG) }
    }
}

/// Returns the etag unless it is empty.
pub(crate) fn given(etag: Option<&str>) -> Option<&str> {
    etag.filter(|etag| !etag.is_empty())
}

/// Returns the version that a write expects. Redis counts versions, so that other etags are invalid. Last-write-wins
/// needs none.
fn version(request: &SetRequest) -> Result<String, Error> {
    match given(request.etag.as_deref()) {
        Some(given) if request.options.concurrency != Concurrency::LastWrite => match given.parse::<i64>() {
            Ok(version) => Ok(version.to_string()),
            Err(_) => Err(Error::InvalidEtag(format!("strconv.Atoi: parsing {given:?}: invalid syntax"))),
        },
        _ => Ok(NO_ETAG.to_owned()),
    }
}

/// Parses `ttlInSeconds`, where zero means no expiry, with the error messages of Dapr's component.
fn time_to_live(metadata: &[(String, String)]) -> Result<Option<u64>, Error> {
    let found = metadata.iter().find(|(name, _)| name == "ttlInSeconds");
    let Some((_, text)) = found.filter(|(_, text)| !text.is_empty()) else { return Ok(None) };
    let refused = |why| {
        let message = format!("failed to parse ttl from metadata: strconv.ParseInt: parsing {text:?}: {why}");
        Err(Error::InvalidRequest(message))
    };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return refused("invalid syntax");
    }
    match text.parse::<i64>() {
        Ok(seconds) => Ok(Some(u64::try_from(seconds).unwrap_or(0))),
        Err(_) => refused("value out of range"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::dapr::components::state::{Consistency, Options};

    fn write(etag: &str, concurrency: Concurrency, ttl: &str) -> SetRequest {
        SetRequest {
            key: "key".to_owned(),
            value: Vec::new(),
            etag: Some(etag.to_owned()),
            metadata: vec![("ttlInSeconds".to_owned(), ttl.to_owned())],
            options: Options { concurrency, consistency: Consistency::Unspecified },
            content_type: None,
        }
    }

    fn ttl_argument(text: &str, default: Option<u64>) -> Result<String, String> {
        match Write::new(&write("", Concurrency::Unspecified, text), default) {
            Ok(write) => Ok(write.ttl_argument()),
            Err(Error::InvalidRequest(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn etag_is_a_version_unless_the_last_write_wins() {
        let etag = |text, concurrency| Write::new(&write(text, concurrency, ""), None).map(|write| write.etag);
        assert_eq!(etag("7", Concurrency::Unspecified).unwrap(), "7");
        assert_eq!(etag("", Concurrency::FirstWrite).unwrap(), NO_ETAG);
        assert_eq!(etag("other", Concurrency::LastWrite).unwrap(), NO_ETAG);
        let refused = etag("other", Concurrency::FirstWrite).unwrap_err();
        let Error::InvalidEtag(why) = refused else { panic!("{refused:?}") };
        assert_eq!(why, "strconv.Atoi: parsing \"other\": invalid syntax");
    }

    #[test]
    fn ttl_is_the_writes_own_or_the_default() {
        assert_eq!(ttl_argument("90", Some(5)), Ok("90".to_owned()));
        assert_eq!(ttl_argument("-1", Some(5)), Ok("0".to_owned()));
        assert_eq!(ttl_argument("", Some(5)), Ok("5".to_owned()));
        assert_eq!(ttl_argument("", None), Ok(String::new()));
    }

    #[test]
    fn invalid_ttl_gives_the_message_of_dapr() {
        let message =
            |text, why| format!("failed to parse ttl from metadata: strconv.ParseInt: parsing {text:?}: {why}");
        for wrong in ["soon", "1.5", "-", " 1"] {
            assert_eq!(ttl_argument(wrong, None), Err(message(wrong, "invalid syntax")));
        }
        assert_eq!(ttl_argument("99999999999", None), Ok("99999999999".to_owned()));
        assert_eq!(
            ttl_argument("9223372036854775808", None),
            Err(message("9223372036854775808", "value out of range"))
        );
    }
}
