//! Settings from environment variables. Each section reads its own; all errors are reported together.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use dapr_client::Endpoint;

use crate::{AllowedOrigins, TrustedProxies};

/// Environment of a service, behind a lookup function for tests.
pub struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    errors: Vec<String>,
}

/// Errors found in the environment.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<String>);

/// HTTP settings of a service.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Longest accepted body, in bytes.
    pub max_body_bytes: usize,
    /// Origins whose pages may read responses.
    pub allowed_origins: AllowedOrigins,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: TrustedProxies,
}

impl<'a> Environment<'a> {
    /// Creates an environment that reads through `lookup`.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, errors: Vec::new() }
    }

    /// Returns a variable as text; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// Parses a variable; `expected` describes the format in the error message.
    pub fn parsed<T: FromStr>(&mut self, name: &str, expected: &str, default: T) -> T {
        let Some(value) = self.text(name) else { return default };
        value.parse().unwrap_or_else(|_| {
            self.errors.push(format!("{name}: `{value}` is not {expected}"));
            default
        })
    }

    /// Parses a variable in milliseconds.
    pub fn milliseconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_millis(self.parsed(name, "a number of milliseconds", default))
    }

    /// Returns Dapr's endpoint; see [`Endpoint::from_lookup`].
    pub fn dapr_endpoint(&mut self, default_port: u16) -> Endpoint {
        Endpoint::from_lookup(self.lookup, default_port).unwrap_or_else(|error| {
            self.add_error(&error);
            Endpoint::local(default_port)
        })
    }

    /// Adds an error that was found elsewhere.
    pub fn add_error(&mut self, error: &impl fmt::Display) {
        self.errors.push(error.to_string());
    }

    /// Returns the errors found so far.
    ///
    /// # Errors
    /// If any variable was invalid.
    pub fn finish(self) -> Result<(), ConfigErrors> {
        if self.errors.is_empty() { Ok(()) } else { Err(ConfigErrors(self.errors)) }
    }
}

impl EdgeSettings {
    /// Reads `APP_PORT` (as Dapr sets it) or `PORT`, `LISTEN_ADDRESS`, `MAX_BODY_BYTES`, `ALLOWED_ORIGINS` and
    /// `TRUSTED_PROXIES`.
    pub fn read(environment: &mut Environment<'_>, default_port: u16, default_max_body_bytes: usize) -> Self {
        let port = environment.parsed("PORT", "a port number", default_port);
        let port = environment.parsed("APP_PORT", "a port number", port);
        let address = environment.parsed("LISTEN_ADDRESS", "an IP address", IpAddr::V4(Ipv4Addr::LOCALHOST));
        Self {
            listen: SocketAddr::new(address, port),
            max_body_bytes: environment.parsed("MAX_BODY_BYTES", "a number of bytes", default_max_body_bytes),
            allowed_origins: environment.parsed(
                "ALLOWED_ORIGINS",
                "`*` or a list of origins such as https://example.org",
                AllowedOrigins::Any,
            ),
            trusted_proxies: environment.parsed(
                "TRUSTED_PROXIES",
                "`none`, `loopback` or a list of addresses and networks such as 10.0.0.0/8",
                TrustedProxies::none(),
            ),
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_loopback_and_the_services_own_port() {
        let mut environment = Environment::new(&|_| None);
        let settings = EdgeSettings::read(&mut environment, 9005, 100);
        assert_eq!(environment.finish(), Ok(()));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:9005");
        assert_eq!(settings.max_body_bytes, 100);
    }

    #[test]
    fn all_errors_are_reported_together_and_by_name() {
        let lookup = |name: &str| match name {
            "APP_PORT" => Some("x".to_owned()),
            "MAX_BODY_BYTES" => Some("-1".to_owned()),
            _ => None,
        };
        let mut environment = Environment::new(&lookup);
        EdgeSettings::read(&mut environment, 9005, 100);
        let errors = environment.finish().unwrap_err().to_string();
        assert_eq!(errors, "APP_PORT: `x` is not a port number\nMAX_BODY_BYTES: `-1` is not a number of bytes");
    }
}
