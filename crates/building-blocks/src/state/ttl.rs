//! The time to live that a write asks for. `components-contrib/state/utils/utils.go`, `ParseTTL`.

use std::time::Duration;

use thiserror::Error;

use crate::Metadata;

/// The metadata of a write that asks for a time to live.
pub const TTL_IN_SECONDS: &str = "ttlInSeconds";
/// The metadata of an answer that tells when the value will expire, in RFC 3339.
pub const TTL_EXPIRE_TIME: &str = "ttlExpireTime";

/// What a write says about its time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeToLive {
    /// Nothing: the store's own default applies, usually for ever.
    Unset,
    /// Explicitly for ever (`-1`, or any number that is not positive).
    Forever,
    /// This long.
    For(Duration),
}

impl TimeToLive {
    /// The duration, where there is one.
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::For(duration) => Some(duration),
            Self::Unset | Self::Forever => None,
        }
    }
}

/// Why `ttlInSeconds` cannot be read, in the words of Go's `strconv`; each store puts its own before them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TtlError {
    /// It is no whole number.
    #[error("parsing {0:?}: invalid syntax")]
    Syntax(String),
    /// It is a number that nothing here can hold.
    #[error("parsing {0:?}: value out of range")]
    Range(String),
}

/// Reads `ttlInSeconds`, which is Go's `int64`. `-1`, and whatever else is not positive, means for ever. What a store cannot
/// represent is for that store to say.
///
/// # Errors
/// When it is no number of seconds.
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
    fn a_positive_number_of_seconds_is_a_duration() {
        assert_eq!(check("90").unwrap(), TimeToLive::For(Duration::from_secs(90)));
    }

    #[test]
    fn zero_and_below_mean_for_ever_and_nothing_means_unset() {
        assert_eq!(check("0").unwrap(), TimeToLive::Forever);
        assert_eq!(check("-1").unwrap(), TimeToLive::Forever);
        assert_eq!(check("").unwrap(), TimeToLive::Unset);
        assert_eq!(time_to_live(&Metadata::new()).unwrap(), TimeToLive::Unset);
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
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
