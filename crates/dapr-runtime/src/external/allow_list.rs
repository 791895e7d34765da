//! Allow-list of addresses outside the process that a guest may reach.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// One rule: a host, by name or address, or any; and a port, or any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowRule {
    host: Option<String>,
    port: Option<u16>,
}

/// An error for text that is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address to allow: write HOST:PORT, HOST:* or *")]
pub struct AllowRuleError(String);

impl FromStr for AllowRule {
    type Err = AllowRuleError;

    fn from_str(text: &str) -> Result<Self, AllowRuleError> {
        let bad = || AllowRuleError(text.to_owned());
        if text == "*" {
            return Ok(Self::any());
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = if port == "*" { None } else { Some(port.parse().map_err(|_| bad())?) };
        if host.is_empty() {
            return Err(bad());
        }
        Ok(Self { host: (host != "*").then(|| host.to_ascii_lowercase()), port })
    }
}

impl AllowRule {
    /// The rule `*`.
    #[must_use]
    pub const fn any() -> Self {
        Self { host: None, port: None }
    }

    /// Derives the rule for the host and port of a URL such as `mysql://user:secret@db:3306/events`.
    #[must_use]
    pub fn from_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
        let known = match scheme {
            "mysql" => Some(3306),
            "redis" => Some(6379),
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let with_port = match (address.rsplit_once(':'), known) {
            (Some((_, port)), _) if port.parse::<u16>().is_ok() => address.to_owned(),
            (_, Some(port)) => format!("{address}:{port}"),
            _ => return None,
        };
        with_port.parse().ok()
    }
}

/// Rules of one guest, and the addresses that their names have resolved to.
#[derive(Debug, Default)]
pub struct AllowList {
    rules: Mutex<BTreeSet<AllowRule>>,
    resolved: Mutex<BTreeMap<IpAddr, BTreeSet<String>>>,
}

impl AllowList {
    /// Creates a list of `rules`.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = AllowRule>) -> Self {
        Self { rules: Mutex::new(rules.into_iter().collect()), resolved: Mutex::default() }
    }

    /// Adds rules.
    pub fn extend(&self, rules: impl IntoIterator<Item = AllowRule>) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).extend(rules);
    }

    /// Returns whether some rule allows `peer`, by its address or a name that resolved to it.
    #[must_use]
    pub fn allows(&self, peer: SocketAddr) -> bool {
        // Several names may lead to one address.
        let names = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).get(&peer.ip()).cloned();
        let names = names.unwrap_or_default();
        let ip = peer.ip().to_string();
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|rule| {
            let host_fits = rule.host.as_ref().is_none_or(|host| {
                *host == ip || names.contains(host) || (host == "localhost" && peer.ip().is_loopback())
            });
            host_fits && rule.port.is_none_or(|port| port == peer.port())
        })
    }

    /// Returns whether some rule lets the guest resolve `name`.
    #[must_use]
    pub fn allows_name(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().any(|rule| rule.host.as_ref().is_none_or(|host| *host == name))
    }

    /// Records that `name` has resolved to these addresses.
    pub fn record_resolved(&self, name: &str, addresses: &[IpAddr]) {
        let name = name.to_ascii_lowercase();
        // Names outside the rules are not kept: the guest chooses what it looks up.
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if !rules.iter().any(|rule| rule.host.as_ref() == Some(&name)) {
            return;
        }
        drop(rules);
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            resolved.entry(*address).or_default().insert(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rules: &[&str], peer: &str) -> bool {
        AllowList::new(rules.iter().map(|rule| rule.parse().unwrap())).allows(peer.parse().unwrap())
    }

    #[test]
    fn rule_matches_host_and_port_with_wildcards() {
        assert!(allows(&["10.0.0.1:3306"], "10.0.0.1:3306"));
        assert!(!allows(&["10.0.0.1:3306"], "10.0.0.1:3307") && !allows(&["10.0.0.1:3306"], "10.0.0.2:3306"));
        assert!(
            allows(&["10.0.0.1:*"], "10.0.0.1:9") && allows(&["*:53"], "10.9.9.9:53") && allows(&["*"], "1.2.3.4:5")
        );
        assert!(allows(&["[::1]:80"], "[::1]:80") && allows(&["localhost:80"], "127.0.0.1:80"));
        assert!(!allows(&[], "127.0.0.1:80"));
        assert!("nonsense".parse::<AllowRule>().is_err() && ":80".parse::<AllowRule>().is_err());
    }

    #[test]
    fn name_rule_allows_resolved_addresses() {
        let list = AllowList::new(["db.example:3306".parse().unwrap()]);
        let peer = "192.0.2.7:3306".parse().unwrap();
        assert!(list.allows_name("DB.example") && !list.allows_name("other.example") && !list.allows(peer));
        list.record_resolved("db.example", &[peer.ip()]);
        assert!(list.allows(peer));
    }

    #[test]
    fn address_keeps_every_name_that_led_to_it() {
        let list = AllowList::new(["a.example:1".parse().unwrap(), "b.example:2".parse().unwrap()]);
        let [one, two, third] = ["192.0.2.7:1", "192.0.2.7:2", "[2001:db8::7]:2"].map(|it| it.parse().unwrap());
        list.record_resolved("a.example", &[SocketAddr::ip(&one)]);
        list.record_resolved("B.example", &[SocketAddr::ip(&two), SocketAddr::ip(&third)]);
        list.record_resolved("c.example", &[SocketAddr::ip(&one)]);
        assert!(list.allows(one) && list.allows(two) && list.allows(third));
        assert!(!list.allows("192.0.2.7:3".parse().unwrap()));
    }

    #[test]
    fn url_becomes_a_rule_for_its_address() {
        let rule = |url| AllowRule::from_url(url);
        assert_eq!(rule("mysql://root:p%40ss@127.0.0.1:3307/events"), Some("127.0.0.1:3307".parse().unwrap()));
        assert_eq!(rule("mysql://root@db/events?x=y"), Some("db:3306".parse().unwrap()));
        assert_eq!(rule("sqlite:events.db"), None);
        assert_eq!(rule("just text"), None);
    }
}
