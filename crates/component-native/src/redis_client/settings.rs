//! Properties of all components on Redis. `components-contrib/common/component/redis/settings.go`.

use std::time::Duration;

use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Properties, go_duration};
use redis::RedisConnectionInfo;

const DEFAULT_PORT: u16 = 6379;
/// Defaults of the client that Dapr uses.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(3);
const RETRIES: u32 = 3;
/// Dapr's own defaults for the delay between attempts.
const MIN_DELAY: Duration = Duration::from_millis(8);
const MAX_DELAY: Duration = Duration::from_secs(2);

/// Address of the server, with timeouts and retries.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: RedisConnectionInfo,
    pub(super) dial_timeout: Duration,
    pub(super) read_timeout: Duration,
    /// Number of times that a request is retried.
    pub(super) retries: u32,
    pub(super) min_delay: Duration,
    pub(super) max_delay: Duration,
}

impl Settings {
    pub(crate) fn read(properties: &Properties) -> Result<Self, PropertyError> {
        reject_unsupported(properties)?;
        let (host, port) = address(properties)?;
        let retries = match properties.int::<i32>("redisMaxRetries")? {
            None | Some(0) => RETRIES,
            // -1 disables retries.
            Some(retries) => u32::try_from(retries).unwrap_or(0),
        };
        Ok(Self {
            host,
            port,
            login: credentials(properties)?,
            dial_timeout: timeout(properties, "dialTimeout", DIAL_TIMEOUT)?,
            read_timeout: timeout(properties, "readTimeout", READ_TIMEOUT)?,
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

fn address(properties: &Properties) -> Result<(String, u16), PropertyError> {
    let text = properties.required("redisHost")?;
    let port: Option<u16> = properties.int("redisPort")?;
    let invalid = || PropertyError::invalid("redisHost", "one host with or without a port");
    let (host, own_port) = match text.rsplit_once(':') {
        // An IPv6 address with a port has brackets; without brackets, all of it is the address.
        Some((host, own)) if !host.contains(':') || host.ends_with(']') => {
            (host, Some(own.parse().map_err(|_| invalid())?))
        }
        _ => (text, None),
    };
    if host.is_empty() || host.contains(',') {
        return Err(invalid());
    }
    if let (Some(port), Some(own)) = (port, own_port)
        && port != own
    {
        return Err(PropertyError::invalid("redisPort", "the port that redisHost has, or absent"));
    }
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok((host.to_owned(), own_port.or(port).unwrap_or(DEFAULT_PORT)))
}

fn credentials(properties: &Properties) -> Result<RedisConnectionInfo, PropertyError> {
    let mut settings = RedisConnectionInfo::default();
    if let Some(username) = properties.get("redisUsername") {
        settings = settings.set_username(username);
    }
    if let Some(password) = properties.get("redisPassword") {
        settings = settings.set_password(password);
    }
    Ok(settings.set_db(properties.int("redisDB")?.unwrap_or(0)))
}

/// Parses a duration in Go's syntax or in milliseconds, unlike the durations of other components.
fn timeout(properties: &Properties, name: &str, default: Duration) -> Result<Duration, PropertyError> {
    let Some(text) = properties.get(name) else {
        return Ok(default);
    };
    let millis = match text.parse::<i64>() {
        Ok(millis) => Some(millis),
        Err(_) => go_duration::parse(text).ok().map(|nanos| nanos / 1_000_000),
    };
    match millis.ok_or_else(|| PropertyError::invalid(name, "a duration such as 3s, or milliseconds"))? {
        // -1 and 0 mean the default or no limit in Dapr; here there is always a limit.
        ..=0 => Ok(default),
        millis => Ok(Duration::from_millis(millis.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(properties: &[(&str, &str)]) -> Result<Settings, PropertyError> {
        Settings::read(&properties.iter().copied().collect())
    }

    fn server(properties: &[(&str, &str)]) -> String {
        let Settings { host, port, .. } = check(properties).unwrap();
        format!("{host}:{port}")
    }

    #[test]
    fn port_comes_from_either_property_or_default() {
        assert_eq!(server(&[("redisHost", "localhost:6380")]), "localhost:6380");
        assert_eq!(server(&[("redisHost", "db")]), "db:6379");
        assert_eq!(server(&[("redisHost", "db"), ("redisPort", "7000")]), "db:7000");
        assert_eq!(server(&[("redisHost", "[::1]:7000")]), "::1:7000");
        assert!(check(&[("redisHost", "db:1"), ("redisPort", "2")]).is_err());
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

    #[test]
    fn number_without_unit_is_milliseconds() {
        let properties = [("readTimeout", "250"), ("dialTimeout", "2s"), ("wrong", "soon")].into_iter().collect();
        let read = |name| timeout(&properties, name, READ_TIMEOUT);
        assert_eq!(read("readTimeout"), Ok(Duration::from_millis(250)));
        assert_eq!(read("dialTimeout"), Ok(Duration::from_secs(2)));
        assert_eq!(read("absent"), Ok(READ_TIMEOUT));
        assert!(read("wrong").is_err());
    }
}
