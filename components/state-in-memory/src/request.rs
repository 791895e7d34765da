//! Operations prepared so that only checks against the state can still fail.

use std::time::SystemTime;

use dapr_component::state::{Error, Operation, SetRequest};

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
        Ok(match operation {
            Operation::Set(request) => Self {
                etag: request.required_etag().map(str::to_owned),
                is_first_write: request.is_first_write(),
                write: Some(Write {
                    expires: expires(&request, now)?,
                    value: request.value,
                    content_type: request.content_type,
                }),
                key: request.key,
            },
            Operation::Delete(request) => Self {
                etag: request.required_etag().map(str::to_owned),
                is_first_write: request.is_first_write(),
                write: None,
                key: request.key,
            },
        })
    }
}

/// Returns the time at which the value expires. One beyond the range of times means never.
fn expires(request: &SetRequest, now: SystemTime) -> Result<Option<SystemTime>, Error> {
    let ttl = request.time_to_live().map_err(|error| Error::invalid_request(format!("strconv.Atoi: {error}")))?;
    Ok(ttl.duration().and_then(|ttl| now.checked_add(ttl)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use dapr_component::state::{Concurrency, Consistency, Options};

    use super::*;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(10)
    }

    fn check(ttl: &str) -> Result<Option<SystemTime>, String> {
        let request = SetRequest {
            key: String::new(),
            value: Vec::new(),
            etag: None,
            metadata: vec![("ttlInSeconds".to_owned(), ttl.to_owned())],
            options: Options { concurrency: Concurrency::Unspecified, consistency: Consistency::Unspecified },
            content_type: None,
        };
        expires(&request, now()).map_err(|error| match error {
            Error::InvalidRequest(why) => why,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn only_positive_ttl_in_range_expires() {
        assert_eq!(check("90"), Ok(Some(UNIX_EPOCH + Duration::from_secs(100))));
        for never in ["", "0", "-1", "9223372036854775807"] {
            assert_eq!(check(never), Ok(None), "{never}");
        }
    }

    #[test]
    fn invalid_ttl_gives_daprs_message() {
        assert_eq!(check("soon"), Err("strconv.Atoi: parsing \"soon\": invalid syntax".to_owned()));
        let large = "99999999999999999999";
        assert_eq!(check(large), Err(format!("strconv.Atoi: parsing {large:?}: value out of range")));
    }
}
