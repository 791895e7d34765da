//! Names of services, as in `/etc/services`.

use std::fs;

/// Services for containers, which lack the file; for TCP and UDP alike.
const WELL_KNOWN: &[(&str, u16)] = &[
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap2", 143),
    ("imap", 143),
    ("ldap", 389),
    ("https", 443),
    ("submission", 587),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("mqtt", 1883),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("amqps", 5671),
    ("amqp", 5672),
    ("redis", 6379),
    ("http-alt", 8080),
    ("secure-mqtt", 8883),
];

/// Looks up a service by name or alias, for `tcp` or `udp`; returns its port.
pub(super) fn port(service: &str, protocol: &str) -> Option<u16> {
    let well_known = WELL_KNOWN.iter().find(|(name, _)| *name == service).map(|(_, port)| *port);
    // A missing file has no services.
    well_known.or_else(|| in_file(&fs::read_to_string("/etc/services").unwrap_or_default(), service, protocol))
}

fn in_file(file: &str, service: &str, protocol: &str) -> Option<u16> {
    file.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let (name, number) = (words.next()?, words.next()?);
        let (number, its_protocol) = number.split_once('/')?;
        let is_it = its_protocol == protocol && (name == service || words.any(|alias| alias == service));
        if is_it { number.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_service_needs_no_file() {
        assert_eq!((port("http", "tcp"), port("mysql", "tcp")), (Some(80), Some(3306)));
        assert_eq!(port("no such service", "tcp"), None);
    }

    #[test]
    fn file_has_names_aliases_and_protocols() {
        let file = "# comment\nodd 4000/tcp other # more\nodd\t4001/udp\nbroken\nodd2 x/tcp\n";
        assert_eq!(in_file(file, "odd", "tcp"), Some(4000));
        assert_eq!(in_file(file, "odd", "udp"), Some(4001));
        assert_eq!(in_file(file, "other", "tcp"), Some(4000));
        assert_eq!((in_file(file, "more", "tcp"), in_file(file, "odd2", "tcp")), (None, None));
    }
}
