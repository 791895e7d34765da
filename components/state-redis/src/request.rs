//! Requests prepared as Redis needs them.

use dapr_component::state::{Concurrency, DeleteRequest, Error, SetRequest, TimeToLive};
use redis_layout::{NO_ETAG, ttl_argument, version};

/// A write, as the script expects it.
pub(crate) struct Write<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a [u8],
    /// Required version of the key.
    pub(crate) etag: String,
    pub(crate) is_first: bool,
    /// Time to live in seconds, `0` for none, or empty to leave it unchanged.
    pub(crate) ttl: String,
}

impl<'a> Write<'a> {
    pub(crate) fn new(request: &'a SetRequest, default_ttl: TimeToLive) -> Result<Self, Error> {
        Ok(Self {
            key: &request.key,
            value: &request.value,
            etag: expected_version(request)?,
            is_first: request.is_first_write(),
            ttl: ttl_argument(time_to_live(request, default_ttl)?),
        })
    }
}

/// A delete, as the script expects it.
pub(crate) struct Delete<'a> {
    pub(crate) key: &'a str,
    pub(crate) etag: &'a str,
}

impl<'a> Delete<'a> {
    pub(crate) fn new(request: &'a DeleteRequest) -> Self {
        Self { key: &request.key, etag: request.required_etag().unwrap_or(NO_ETAG) }
    }
}

/// Returns the version that a write expects. Last-write-wins needs none.
fn expected_version(request: &SetRequest) -> Result<String, Error> {
    match request.required_etag() {
        Some(etag) if request.options.concurrency != Concurrency::LastWrite => {
            version(etag).map_err(Error::invalid_etag)
        }
        _ => Ok(NO_ETAG.to_owned()),
    }
}

fn time_to_live(request: &SetRequest, default: TimeToLive) -> Result<TimeToLive, Error> {
    match request.time_to_live() {
        Ok(TimeToLive::Unset) => Ok(default),
        Ok(given) => Ok(given),
        Err(error) => {
            Err(Error::invalid_request(format!("failed to parse ttl from metadata: strconv.ParseInt: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use dapr_component::state::{Consistency, Options};

    use super::*;

    const FIVE: TimeToLive = TimeToLive::from_seconds(5);

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

    fn ttl(text: &str, default: TimeToLive) -> Result<String, String> {
        match Write::new(&write("", Concurrency::Unspecified, text), default) {
            Ok(write) => Ok(write.ttl),
            Err(Error::InvalidRequest(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn etag_is_a_version_unless_the_last_write_wins() {
        let etag =
            |text, concurrency| Write::new(&write(text, concurrency, ""), TimeToLive::Unset).map(|write| write.etag);
        assert_eq!(etag("7", Concurrency::Unspecified).unwrap(), "7");
        assert_eq!(etag("", Concurrency::FirstWrite).unwrap(), NO_ETAG);
        assert_eq!(etag("other", Concurrency::LastWrite).unwrap(), NO_ETAG);
        let error = etag("other", Concurrency::FirstWrite).unwrap_err();
        let Error::InvalidEtag(why) = error else { panic!("{error:?}") };
        assert_eq!(why, "strconv.Atoi: parsing \"other\": invalid syntax");
    }

    #[test]
    fn ttl_is_the_writes_own_or_the_default() {
        assert_eq!(ttl("90", FIVE), Ok("90".to_owned()));
        assert_eq!(ttl("-1", FIVE), Ok("0".to_owned()));
        assert_eq!(ttl("", FIVE), Ok("5".to_owned()));
        assert_eq!(ttl("", TimeToLive::Unset), Ok(String::new()));
    }

    #[test]
    fn invalid_ttl_gives_the_message_of_dapr() {
        for (wrong, why) in [("soon", "invalid syntax"), ("9223372036854775808", "value out of range")] {
            let message = format!("failed to parse ttl from metadata: strconv.ParseInt: parsing {wrong:?}: {why}");
            assert_eq!(ttl(wrong, FIVE), Err(message));
        }
    }
}
