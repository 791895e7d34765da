//! Properties of all components on Redis. `components-contrib/common/component/redis/settings.go`.

use std::time::Duration;

use component_values::{Properties, PropertyError, TTL_IN_SECONDS, TimeToLive, go_duration};

const DEFAULT_PORT: u16 = 6379;
/// Defaults of the client that Dapr uses.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// A server, with credentials and timeouts.
#[derive(Clone)]
pub struct Server {
    /// Name or address; an IPv6 address has no brackets.
    pub host: String,
    /// Port, 6379 by default.
    pub port: u16,
    /// Name of the user, if any.
    pub username: Option<String>,
    /// Password, if any.
    pub password: Option<String>,
    /// Number of the database, 0 by default.
    pub database: i64,
    /// Time to connect, 5 s by default.
    pub dial_timeout: Duration,
    /// Time for a response, 3 s by default.
    pub read_timeout: Duration,
}

impl Server {
    /// Reads the properties `redisHost`, `redisPort`, `redisUsername`, `redisPassword`, `redisDB`, `dialTimeout` and
    /// `readTimeout`.
    ///
    /// # Errors
    /// When the host is missing, or a property is invalid.
    pub fn read(properties: &Properties) -> Result<Self, PropertyError> {
        let (host, port) = address(properties)?;
        Ok(Self {
            host,
            port,
            username: properties.get("redisUsername").map(str::to_owned),
            password: properties.get("redisPassword").map(str::to_owned),
            database: properties.int("redisDB")?.unwrap_or(0),
            dial_timeout: timeout(properties, "dialTimeout", DIAL_TIMEOUT)?,
            read_timeout: timeout(properties, "readTimeout", READ_TIMEOUT)?,
        })
    }
}

/// Reads the time to live of writes without one: the property `ttlInSeconds`.
///
/// # Errors
/// When it is not a number of seconds.
pub fn default_ttl(properties: &Properties) -> Result<TimeToLive, PropertyError> {
    Ok(properties.int(TTL_IN_SECONDS)?.map_or(TimeToLive::Unset, TimeToLive::from_seconds))
}

/// Parses a duration in Go's syntax or in milliseconds, unlike the durations of other components.
///
/// # Errors
/// When it is neither.
pub fn timeout(properties: &Properties, name: &str, default: Duration) -> Result<Duration, PropertyError> {
    let millis = properties.parse(name, "a duration such as 3s, or milliseconds", |text| {
        let text = text.trim();
        text.parse::<i64>().ok().or_else(|| Some(go_duration::parse(text).ok()? / 1_000_000))
    })?;
    Ok(match millis {
        // -1 and 0 mean the default or no limit in Dapr; here there is always a limit.
        None | Some(..=0) => default,
        Some(millis) => Duration::from_millis(millis.unsigned_abs()),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<Server, String> {
        Server::read(&pairs.iter().copied().collect()).map_err(|error| error.to_string())
    }

    fn address(pairs: &[(&str, &str)]) -> (String, u16) {
        let server = check(pairs).unwrap();
        (server.host, server.port)
    }

    #[test]
    fn port_comes_from_either_property_or_the_default() {
        assert_eq!(address(&[("redisHost", "localhost:6380")]), ("localhost".into(), 6380));
        assert_eq!(address(&[("REDISHOST", "db")]), ("db".into(), 6379));
        assert_eq!(address(&[("redisHost", "db"), ("redisPort", "7000")]), ("db".into(), 7000));
        assert_eq!(address(&[("redisHost", "[::1]:7000")]), ("::1".into(), 7000));
        assert_eq!(address(&[("redisHost", "fe80::1")]), ("fe80::1".into(), 6379));
        for wrong in [&[("redisHost", "db:1"), ("redisPort", "2")][..], &[("redisHost", "a:1,b:2")], &[]] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn default_ttl_may_be_forever() {
        let ttl = |text| default_ttl(&[("ttlInSeconds", text)].into_iter().collect()).unwrap();
        let sixty = TimeToLive::For(Duration::from_secs(60));
        assert_eq!([ttl(""), ttl("60"), ttl("-1")], [TimeToLive::Unset, sixty, TimeToLive::Forever]);
    }

    #[test]
    fn bare_timeout_is_milliseconds_and_non_positive_the_default() {
        let read = |text| check(&[("redisHost", "db"), ("readTimeout", text)]).map(|server| server.read_timeout);
        assert_eq!(read("250"), Ok(Duration::from_millis(250)));
        assert_eq!(read(" 1m2.5s "), Ok(Duration::from_millis(62_500)));
        for default in ["", "0", "-1", "-3s"] {
            assert_eq!(read(default), Ok(READ_TIMEOUT), "{default}");
        }
        assert!(read("soon").is_err());
    }

    #[test]
    fn error_messages_never_show_values() {
        for name in ["redisPort", "redisDB", "readTimeout", "dialTimeout"] {
            let error = check(&[("redisHost", "db"), (name, "hunter2")]).err().unwrap();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
    }
}
