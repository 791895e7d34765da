//! Properties of all components on Redis that daprlet supports.

use std::time::Duration;

use dapr_building_blocks::Properties;
use dapr_building_blocks::component::PropertyError;
use redis_layout::{Server, timeout};

const RETRIES: u32 = 3;
/// Dapr's own defaults for the delay between attempts.
const MIN_DELAY: Duration = Duration::from_millis(8);
const MAX_DELAY: Duration = Duration::from_secs(2);

/// The server, with retries.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(super) server: Server,
    /// Number of times that a request is retried.
    pub(super) retries: u32,
    pub(super) min_delay: Duration,
    pub(super) max_delay: Duration,
}

impl Settings {
    pub(crate) fn read(properties: &Properties) -> Result<Self, PropertyError> {
        reject_unsupported(properties)?;
        let server = Server::read(properties)?;
        let retries = match properties.int::<i32>("redisMaxRetries")? {
            None | Some(0) => RETRIES,
            // -1 disables retries.
            Some(retries) => u32::try_from(retries).unwrap_or(0),
        };
        Ok(Self {
            server,
            retries,
            min_delay: timeout(properties, "redisMinRetryInterval", MIN_DELAY)?,
            max_delay: timeout(properties, "redisMaxRetryInterval", MAX_DELAY)?,
        })
    }
}

/// Rejects unsupported settings: an error is better than a connection without, say, TLS.
fn reject_unsupported(properties: &Properties) -> Result<(), PropertyError> {
    for name in ["enableTLS", "failover", "useEntraID", "useOIDC"] {
        if properties.bool(name)? == Some(true) {
            return Err(PropertyError::invalid(name, "false: daprlet does not support this yet"));
        }
    }
    match properties.get("redisType") {
        None | Some("node") => Ok(()),
        Some(_) => Err(PropertyError::invalid("redisType", "node: daprlet does not support clusters yet")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(properties: &[(&str, &str)]) -> Result<Settings, PropertyError> {
        Settings::read(&properties.iter().copied().collect())
    }

    #[test]
    fn unsupported_settings_are_rejected_by_name() {
        for (name, value) in [("enableTLS", "true"), ("redisType", "cluster"), ("failover", "true")] {
            let error = check(&[("redisHost", "db"), (name, value)]).err().unwrap().to_string();
            assert!(error.contains(name), "{error}");
        }
        assert!(check(&[("redisHost", "db"), ("enableTLS", "false"), ("redisType", "node")]).is_ok());
    }

    #[test]
    fn retries_default_to_three() {
        let retries = |text| check(&[("redisHost", "db"), ("redisMaxRetries", text)]).unwrap().retries;
        assert_eq!([retries("0"), retries("-1"), retries("7")], [3, 0, 7]);
    }
}
