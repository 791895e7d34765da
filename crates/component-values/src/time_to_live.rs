//! The time to live of a write. `components-contrib/state/utils/utils.go`, `ParseTTL`.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

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
    /// Creates it from a number of seconds; one that is not positive means for ever.
    pub const fn from_seconds(seconds: i64) -> Self {
        match seconds {
            ..=0 => Self::Forever,
            seconds => Self::For(Duration::from_secs(seconds.unsigned_abs())),
        }
    }

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

/// Parses the value of `ttlInSeconds`, Go's `int64`; an empty one counts as absent.
///
/// `-1`, and any other number that is not positive, means for ever. A store rejects what it cannot represent.
impl FromStr for TimeToLive {
    type Err = TtlError;

    fn from_str(text: &str) -> Result<Self, TtlError> {
        if text.is_empty() {
            return Ok(Self::Unset);
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TtlError::Syntax(text.to_owned()));
        }
        text.parse().map(Self::from_seconds).map_err(|_| TtlError::Range(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<TimeToLive, TtlError> {
        text.parse()
    }

    #[test]
    fn positive_seconds_are_a_duration() {
        for text in ["90", "+90"] {
            assert_eq!(check(text), Ok(TimeToLive::For(Duration::from_secs(90))), "{text}");
        }
    }

    #[test]
    fn non_positive_means_for_ever_and_empty_unset() {
        for text in ["0", "-1", "-90"] {
            assert_eq!(check(text), Ok(TimeToLive::Forever), "{text}");
        }
        assert_eq!(check(""), Ok(TimeToLive::Unset));
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
