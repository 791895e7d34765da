//! Reading the environment: each section takes what it needs, and all mistakes are reported together.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use dapr_client::Endpoint;

use crate::{AllowedOrigins, TrustedProxies};

/// The environment of a service, behind a function, so that tests bring their own.
pub struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<String>,
}

/// Everything that is wrong with the environment.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<String>);

/// Where a service listens and whom it lets in.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The longest body that is taken.
    pub max_body_bytes: usize,
    /// Whose pages may read the answers.
    pub allowed_origins: AllowedOrigins,
    /// Whose word about their clients counts.
    pub trusted_proxies: TrustedProxies,
}

impl<'a> Environment<'a> {
    /// Reads through `lookup`.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, mistakes: Vec::new() }
    }

    /// A setting as text; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// A setting that has to be understood; `expected` tells what it should look like.
    pub fn parsed<T: FromStr>(&mut self, name: &str, expected: &str, default: T) -> T {
        let Some(value) = self.text(name) else { return default };
        value.parse().unwrap_or_else(|_| {
            self.mistakes.push(format!("{name}: `{value}` is not {expected}"));
            default
        })
    }

    /// A setting in milliseconds.
    pub fn milliseconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_millis(self.parsed(name, "a number of milliseconds", default))
    }

    /// Where Dapr is; see [`Endpoint::from_lookup`].
    pub fn dapr_endpoint(&mut self, default_port: u16) -> Endpoint {
        Endpoint::from_lookup(self.lookup, default_port).unwrap_or_else(|error| {
            self.mistake(&error);
            Endpoint::local(default_port)
        })
    }

    /// Notes a mistake that somebody else found.
    pub fn mistake(&mut self, mistake: &impl fmt::Display) {
        self.mistakes.push(mistake.to_string());
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When there were mistakes.
    pub fn finish(self) -> Result<(), Mistakes> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(Mistakes(self.mistakes)) }
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

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_services_own_port_on_this_machine() {
        let mut environment = Environment::new(&|_| None);
        let settings = EdgeSettings::read(&mut environment, 9005, 100);
        assert_eq!(environment.finish(), Ok(()));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:9005");
        assert_eq!(settings.max_body_bytes, 100);
    }

    #[test]
    fn all_mistakes_are_reported_together_and_by_name() {
        let lookup = |name: &str| match name {
            "APP_PORT" => Some("x".to_owned()),
            "MAX_BODY_BYTES" => Some("-1".to_owned()),
            _ => None,
        };
        let mut environment = Environment::new(&lookup);
        EdgeSettings::read(&mut environment, 9005, 100);
        let mistakes = environment.finish().unwrap_err().to_string();
        assert_eq!(mistakes, "APP_PORT: `x` is not a port number\nMAX_BODY_BYTES: `-1` is not a number of bytes");
    }
}
