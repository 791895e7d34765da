//! Hosts that a component may connect to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A host, by name or address, and one port of it or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// An error for text that is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host to allow: write HOST:PORT or HOST:*")]
pub struct HostRuleError(String);

impl FromStr for HostRule {
    type Err = HostRuleError;

    fn from_str(text: &str) -> Result<Self, HostRuleError> {
        let bad = || HostRuleError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let port = if port == "*" { None } else { Some(port.parse().map_err(|_| bad())?) };
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let address = rest.strip_suffix(']').and_then(|address| address.parse().ok()).ok_or_else(bad)?;
                Host::Address(IpAddr::V6(address))
            }
            // Without brackets, the end of an IPv6 address would be ambiguous.
            None => match host.parse::<Ipv4Addr>() {
                Ok(address) => Host::Address(IpAddr::V4(address)),
                Err(_) => Host::Name(host.to_ascii_lowercase()),
            },
        };
        let is_host = match &host {
            Host::Address(_) => true,
            Host::Name(name) => {
                let is_fit = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
                !name.is_empty() && name.chars().all(is_fit)
            }
        };
        if is_host { Ok(Self { host, port }) } else { Err(bad()) }
    }
}

impl HostRule {
    /// Returns whether the rule has this name, so that it may be resolved.
    pub(crate) fn names(&self, name: &str) -> bool {
        matches!(&self.host, Host::Name(own) if own.eq_ignore_ascii_case(name))
    }

    /// Returns whether the rule allows a connection to `peer`.
    ///
    /// Names are resolved anew each time: an address may have changed its owner.
    pub(crate) async fn allows(&self, peer: SocketAddr) -> bool {
        if self.port.is_some_and(|port| port != peer.port()) {
            return false;
        }
        match &self.host {
            Host::Address(address) => *address == peer.ip().to_canonical(),
            Host::Name(name) => match tokio::net::lookup_host((name.as_str(), peer.port())).await {
                Ok(mut found) => found.any(|found| found.ip().to_canonical() == peer.ip().to_canonical()),
                Err(_) => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn allows(rule: &str, peer: &str) -> bool {
        rule.parse::<HostRule>().unwrap().allows(peer.parse().unwrap()).await
    }

    #[tokio::test]
    async fn rule_matches_host_and_port_or_any_port() {
        assert!(allows("10.0.0.1:6379", "10.0.0.1:6379").await);
        assert!(!allows("10.0.0.1:6379", "10.0.0.1:6380").await && !allows("10.0.0.1:6379", "10.0.0.2:6379").await);
        assert!(allows("10.0.0.1:*", "10.0.0.1:9").await && allows("[::1]:80", "[::1]:80").await);
        assert!(allows("10.0.0.1:1", "[::ffff:10.0.0.1]:1").await);
        assert!(allows("localhost:80", "127.0.0.1:80").await && !allows("localhost:80", "10.0.0.1:80").await);
    }

    #[test]
    fn only_names_in_rules_are_resolved() {
        let rule: HostRule = "DB.example:6379".parse().unwrap();
        assert!(rule.names("db.Example") && !rule.names("other.example") && !rule.names("db.example."));
        assert!(!"10.0.0.1:1".parse::<HostRule>().unwrap().names("10.0.0.1"));
    }

    #[test]
    fn invalid_rule_is_an_error() {
        for wrong in ["", "*", "host", ":80", "host:port", "host:70000", "[::1:80", "[host]:80", "::1:80", "a b:80"] {
            assert_eq!(wrong.parse::<HostRule>(), Err(HostRuleError(wrong.to_owned())), "{wrong}");
        }
    }
}
