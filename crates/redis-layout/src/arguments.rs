//! Arguments of the scripts.

use component_values::TimeToLive;

/// Etag of a request without one.
pub const NO_ETAG: &str = "0";

/// Returns an etag as the scripts compare it: a version in decimal digits.
///
/// # Errors
/// When it is not a number. The text is that of Dapr's component.
pub fn version(etag: &str) -> Result<String, String> {
    match etag.parse::<i64>() {
        Ok(version) => Ok(version.to_string()),
        Err(_) => Err(format!("strconv.Atoi: parsing {etag:?}: invalid syntax")),
    }
}

/// Returns the argument for a time to live: seconds, `0` for no expiry, or empty to leave it unchanged.
pub fn ttl_argument(ttl: TimeToLive) -> String {
    match ttl {
        TimeToLive::Unset => String::new(),
        TimeToLive::Forever => "0".to_owned(),
        TimeToLive::For(ttl) => ttl.as_secs().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn version_is_a_plain_number() {
        assert_eq!(version("+07"), Ok("7".to_owned()));
        assert_eq!(version("other"), Err("strconv.Atoi: parsing \"other\": invalid syntax".to_owned()));
    }

    #[test]
    fn ttl_argument_distinguishes_unset_and_forever() {
        let ttls = [TimeToLive::Unset, TimeToLive::Forever, TimeToLive::For(Duration::from_secs(90))];
        assert_eq!(ttls.map(ttl_argument), ["", "0", "90"]);
    }
}
