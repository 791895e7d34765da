//! The time to live that a write asks for. `components-contrib/state/utils/utils.go`, `ParseTTL`.

use std::time::Duration;

use super::StateError;
use crate::Metadata;

/// The metadata of a write that asks for a time to live.
pub const TTL_IN_SECONDS: &str = "ttlInSeconds";
/// The metadata of an answer that tells when the value will expire, in RFC 3339.
pub const TTL_EXPIRE_TIME: &str = "ttlExpireTime";

/// The longest time to live, in seconds: beyond it (68 years) expiry times would leave what stores can represent.
const MAX_SECONDS: i64 = i32::MAX as i64;

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

/// Reads `ttlInSeconds`.
pub fn time_to_live(metadata: &Metadata) -> Result<TimeToLive, StateError> {
    let Some(text) = metadata.get(TTL_IN_SECONDS).filter(|text| !text.is_empty()) else {
        return Ok(TimeToLive::Unset);
    };
    let seconds: i64 = text.parse().map_err(|_| {
        StateError::InvalidRequest(format!(
            "value for {TTL_IN_SECONDS} must be a whole number of seconds, not {text:?}"
        ))
    })?;
    match seconds {
        ..=0 => Ok(TimeToLive::Forever),
        1..=MAX_SECONDS => Ok(TimeToLive::For(Duration::from_secs(seconds.unsigned_abs()))),
        _ => Err(StateError::InvalidRequest(format!("value for {TTL_IN_SECONDS} must be at most {MAX_SECONDS}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<TimeToLive, StateError> {
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
        for wrong in ["soon", "1.5", "10s", "2147483648", "99999999999999999999"] {
            assert!(matches!(check(wrong), Err(StateError::InvalidRequest(_))), "{wrong}");
        }
    }
}
