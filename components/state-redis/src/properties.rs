//! Properties of `state.redis`. `components-contrib/common/component/redis/settings.go`.
//!
//! No error message shows a value: any may be a secret.

use std::time::Duration;

const DEFAULT_PORT: u16 = 6379;
/// Defaults of the client that Dapr uses.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest timeout: beyond the limit of hosts, and small enough for every system's clock.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// Settings of the component YAML.
pub(crate) struct Config {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
    /// Default time to live in seconds; zero means none.
    pub(crate) default_ttl: Option<u64>,
    pub(crate) dial_timeout: Duration,
    pub(crate) read_timeout: Duration,
}

impl Config {
    pub(crate) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let properties = Properties(pairs);
        properties.reject_unsupported()?;
        let (host, port) = properties.address()?;
        Ok(Self {
            host,
            port,
            username: properties.get("redisUsername").map(str::to_owned),
            password: properties.get("redisPassword").map(str::to_owned),
            database: properties.number("redisDB")?.unwrap_or(0),
            default_ttl: properties.number::<i64>("ttlInSeconds")?.map(|ttl| u64::try_from(ttl).unwrap_or(0)),
            dial_timeout: properties.timeout("dialTimeout", DIAL_TIMEOUT)?,
            read_timeout: properties.timeout("readTimeout", READ_TIMEOUT)?,
        })
    }
}

struct Properties<'a>(&'a [(String, String)]);

impl Properties<'_> {
    /// Returns the value of `name`. The last one counts; an empty value is ignored.
    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        (!value.is_empty()).then_some(value)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parsed = self.get(name).map(|text| text.trim().parse());
        parsed.transpose().map_err(|_| wrong(name, "a whole number in range"))
    }

    /// Rejects unsupported properties, rather than connecting without them.
    fn reject_unsupported(&self) -> Result<(), String> {
        if self.is_on("enableTLS")? {
            return Err(wrong("enableTLS", "false: a Wasm component has no TLS"));
        }
        for name in ["failover", "useEntraID", "useOIDC"] {
            if self.is_on(name)? {
                return Err(wrong(name, "false: this component does not have it"));
            }
        }
        match self.get("redisType") {
            None | Some("node") => Ok(()),
            Some(_) => Err(wrong("redisType", "node: this component knows no clusters")),
        }
    }

    fn is_on(&self, name: &str) -> Result<bool, String> {
        match self.get(name).unwrap_or("false").trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
            _ => Err(wrong(name, "true or false")),
        }
    }

    fn address(&self) -> Result<(String, u16), String> {
        let text = self.get("redisHost").ok_or("property \"redisHost\" is required")?;
        let port: Option<u16> = self.number("redisPort")?;
        let invalid = || wrong("redisHost", "one host with or without a port");
        let (host, own_port) = match text.rsplit_once(':') {
            // An IPv6 address with a port has brackets; without them all of it is the address.
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
            return Err(wrong("redisPort", "the port that redisHost has, or absent"));
        }
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Ok((host.to_owned(), own_port.or(port).unwrap_or(DEFAULT_PORT)))
    }

    /// Parses a timeout in Go's syntax, or in milliseconds, unlike other components. Values that are not positive give
    /// the default: there must be a limit.
    fn timeout(&self, name: &str, default: Duration) -> Result<Duration, String> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let given = match text.trim().parse::<i64>() {
            Ok(millis) => Some(jiff::SignedDuration::from_millis(millis)),
            Err(_) => text.trim().parse().ok(),
        };
        let given = given.ok_or_else(|| wrong(name, "a duration such as 3s, or milliseconds"))?;
        let given = Duration::try_from(given).ok().filter(|given| !given.is_zero());
        Ok(given.unwrap_or(default).min(MAX_TIMEOUT))
    }
}

fn wrong(name: &str, expected: &str) -> String {
    format!("property {name:?} must be {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<Config, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::read(&pairs.iter().map(own).collect::<Vec<_>>())
    }

    fn server(pairs: &[(&str, &str)]) -> (String, u16) {
        let config = check(pairs).unwrap();
        (config.host, config.port)
    }

    #[test]
    fn port_comes_from_either_property_or_the_default() {
        assert_eq!(server(&[("redisHost", "localhost:6380")]), ("localhost".into(), 6380));
        assert_eq!(server(&[("REDISHOST", "db")]), ("db".into(), 6379));
        assert_eq!(server(&[("redisHost", "db"), ("redisPort", "7000")]), ("db".into(), 7000));
        assert_eq!(server(&[("redisHost", "[::1]:7000")]), ("::1".into(), 7000));
        assert_eq!(server(&[("redisHost", "fe80::1")]), ("fe80::1".into(), 6379));
        for wrong in [&[("redisHost", "db:1"), ("redisPort", "2")][..], &[("redisHost", "a:1,b:2")], &[]] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn unsupported_properties_are_rejected_by_name() {
        for (name, value) in [("enableTLS", "true"), ("redisType", "cluster"), ("failover", "true")] {
            let error = check(&[("redisHost", "db"), (name, value)]).err().unwrap();
            assert!(error.contains(name), "{error}");
        }
        assert!(check(&[("redisHost", "db"), ("enableTLS", "false"), ("redisType", "node")]).is_ok());
    }

    #[test]
    fn default_ttl_may_be_unlimited() {
        let ttl = |text| check(&[("redisHost", "db"), ("ttlInSeconds", text)]).unwrap().default_ttl;
        assert_eq!([ttl(""), ttl("60"), ttl("-1")], [None, Some(60), Some(0)]);
    }

    #[test]
    fn bare_timeout_is_milliseconds_and_non_positive_the_default() {
        let read = |text| check(&[("redisHost", "db"), ("readTimeout", text)]).map(|config| config.read_timeout);
        assert_eq!(read("250"), Ok(Duration::from_millis(250)));
        assert_eq!(read("1m2.5s"), Ok(Duration::from_millis(62_500)));
        assert_eq!(read("9223372036854775807"), Ok(MAX_TIMEOUT));
        for default in ["", "0", "-1", "-3s"] {
            assert_eq!(read(default), Ok(READ_TIMEOUT), "{default}");
        }
    }

    #[test]
    fn error_messages_never_show_values() {
        for name in ["redisPort", "redisDB", "ttlInSeconds", "enableTLS", "redisType", "readTimeout", "dialTimeout"] {
            let error = check(&[("redisHost", "db"), (name, "hunter2")]).err().unwrap();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
    }
}
