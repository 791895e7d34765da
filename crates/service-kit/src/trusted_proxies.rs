//! Proxies whose word about the client is taken.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;

/// Proxies whose forwarding headers are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// A network in CIDR notation: an address, and how many of its first bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl TrustedProxies {
    /// Trusts no proxy: the user is the connected peer.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Trusts only this machine, for a sidecar or a proxy that sets the header. Any other local process is trusted,
    /// too.
    #[must_use]
    pub fn loopback() -> Self {
        let v4 = Network { address: IpAddr::from([127, 0, 0, 0]), bits: 8 };
        let v6 = Network { address: std::net::Ipv6Addr::LOCALHOST.into(), bits: 128 };
        Self(vec![v4, v6])
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Finds the user behind a request: the peer, or the client that a trusted proxy names.
    ///
    /// A chain of addresses is read from its end, past trusted proxies, because the client could have invented
    /// everything before.
    pub(crate) fn user(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut user = peer.to_canonical();
        for hop in hops(headers).into_iter().rev() {
            if !self.contain(user) {
                break;
            }
            // `unknown` or an obfuscated name: the last known hop counts as the user.
            let Some(address) = hop else { break };
            user = address.to_canonical();
        }
        user
    }
}

impl FromStr for TrustedProxies {
    type Err = ();

    /// Parses `none`, or addresses and networks such as `10.0.0.0/8`, separated by commas.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "none" {
            return Ok(Self::none());
        }
        let mut proxies = Vec::new();
        for part in text.split(',').map(str::trim) {
            match part {
                "loopback" => proxies.extend(Self::loopback().0),
                part => proxies.push(part.parse()?),
            }
        }
        Ok(Self(proxies))
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32u32.saturating_sub(self.bits.into());
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128u32.saturating_sub(self.bits.into());
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(drop)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(drop)?;
        if bits > most { Err(()) } else { Ok(Self { address, bits }) }
    }
}

/// Reads the chain of addresses that proxies left, nearest last.
///
/// `Forwarded` is the standard and `X-Forwarded-For` is what is used; a proxy that writes both writes the same into
/// them.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lists =
        |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    if headers.contains_key("x-forwarded-for") {
        return lists("x-forwarded-for").map(|hop| address(hop.trim())).collect();
    }
    lists("forwarded").map(|element| element.split(';').find_map(forwarded_for).and_then(address)).collect()
}

fn forwarded_for(pair: &str) -> Option<&str> {
    let (name, value) = pair.trim().split_once('=')?;
    name.eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
}

/// Parses `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]` and `[::1]:5`.
fn address(text: &str) -> Option<IpAddr> {
    if let Some((inside, _port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside.parse().ok();
    }
    text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(trusted: &str, peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        trusted.parse::<TrustedProxies>().unwrap().user(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn header_of_an_untrusted_peer_is_ignored() {
        assert_eq!(user("loopback", "9.9.9.9", &[("x-forwarded-for", "1.2.3.4")]), "9.9.9.9");
        assert_eq!(user("none", "127.0.0.1", &[("x-forwarded-for", "1.2.3.4")]), "127.0.0.1");
    }

    #[test]
    fn trusted_proxy_names_the_user_and_the_rest_is_ignored() {
        assert_eq!(user("loopback", "127.0.0.1", &[("x-forwarded-for", "6.6.6.6, 1.2.3.4")]), "1.2.3.4");
        let chain = [("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.1")];
        assert_eq!(user("loopback,10.0.0.0/8", "::1", &chain), "1.2.3.4");
    }

    #[test]
    fn forwarded_header_with_quotes_and_ports_is_parsed() {
        assert_eq!(user("loopback", "127.0.0.1", &[("forwarded", "for=\"[2001:db8::1]:4711\";by=x")]), "2001:db8::1");
        assert_eq!(user("loopback", "127.0.0.1", &[("forwarded", "by=x;FOR=1.2.3.4")]), "1.2.3.4");
    }

    #[test]
    fn unreadable_client_address_makes_the_proxy_the_user() {
        assert_eq!(user("loopback", "127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(user("loopback", "127.0.0.1", &[("x-forwarded-for", "unknown")]), "127.0.0.1");
    }

    #[test]
    fn ipv4_mapped_address_is_the_same_user() {
        assert_eq!(user("none", "::ffff:9.9.9.9", &[]), "9.9.9.9");
    }

    #[test]
    fn invalid_proxy_lists_are_rejected() {
        for text in ["", "10.0.0.0/33", "example.org", "10.0.0.0/-1"] {
            assert!(text.parse::<TrustedProxies>().is_err(), "{text}");
        }
        assert_eq!(user("0.0.0.0/0", "9.9.9.9", &[("x-forwarded-for", "1.2.3.4")]), "1.2.3.4");
    }
}
