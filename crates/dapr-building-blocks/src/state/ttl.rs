//! The time to live of a write. `components-contrib/state/utils/utils.go`, `ParseTTL`.

use std::time::Duration;

use thiserror::Error;

use crate::Metadata;

/// Metadata key of a write's time to live.
pub const TTL_IN_SECONDS: &str = "ttlInSeconds";
/// Metadata key of a result's expiry time, in RFC 3339.
pub const TTL_EXPIRE_TIME: &str = "ttlExpireTime";

/// Time to live of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeToLive {
    /// Unspecified: the store's own default applies, usually for ever.
    Unset,
    /// Explicitly for ever (`-1`, or any number that is not positive).
    Forever,
    /// A duration.
    For(Duration),
}

impl TimeToLive {
    /// Returns the duration, if there is one.
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::For(duration) => Some(duration),
            Self::Unset | Self::Forever => None,
        }
    }
}

/// An error of parsing `ttlInSeconds`, in the words of Go's `strconv`.
///
/// Each store adds its own prefix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TtlError {
    /// The text is not an integer.
    #[error("parsing {0:?}: invalid syntax")]
    Syntax(String),
    /// The number is out of range.
    #[error("parsing {0:?}: value out of range")]
    Range(String),
}

/// Parses `ttlInSeconds`, Go's `int64`.
///
/// `-1`, and any other number that is not positive, means for ever. A store rejects what it cannot represent.
///
/// # Errors
/// When the text is not a number of seconds.
pub fn time_to_live(metadata: &Metadata) -> Result<TimeToLive, TtlError> {
    let Some(text) = metadata.get(TTL_IN_SECONDS).filter(|text| !text.is_empty()) else {
        return Ok(TimeToLive::Unset);
    };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TtlError::Syntax(text.clone()));
    }
    match text.parse::<i64>() {
        Ok(..=0) => Ok(TimeToLive::Forever),
        Ok(seconds) => Ok(TimeToLive::For(Duration::from_secs(seconds.unsigned_abs()))),
        Err(_) => Err(TtlError::Range(text.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<TimeToLive, TtlError> {
        time_to_live(&Metadata::from([(TTL_IN_SECONDS.to_owned(), text.to_owned())]))
    }

    #[test]
    fn positive_seconds_are_a_duration() {
        assert_eq!(check("90").unwrap(), TimeToLive::For(Duration::from_secs(90)));
    }

    #[test]
    fn non_positive_means_for_ever_and_empty_unset() {
        assert_eq!(check("0").unwrap(), TimeToLive::Forever);
        assert_eq!(check("-1").unwrap(), TimeToLive::Forever);
        assert_eq!(check("").unwrap(), TimeToLive::Unset);
        assert_eq!(time_to_live(&Metadata::new()).unwrap(), TimeToLive::Unset);
    }

    #[test]
    fn invalid_or_too_large_number_is_an_error() {
        for wrong in ["soon", "1.5", "10s", "-", " 1"] {
            assert_eq!(check(wrong), Err(TtlError::Syntax(wrong.into())), "{wrong}");
        }
        for large in ["9223372036854775808", "99999999999999999999", "-9223372036854775809"] {
            assert_eq!(check(large), Err(TtlError::Range(large.into())), "{large}");
        }
        let longest = Duration::from_secs(i64::MAX.unsigned_abs());
        assert_eq!(check("9223372036854775807"), Ok(TimeToLive::For(longest)));
        assert_eq!(TtlError::Syntax("soon".into()).to_string(), r#"parsing "soon": invalid syntax"#);
    }
}
