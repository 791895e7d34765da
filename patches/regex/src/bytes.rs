//! Search in bytes. Bytes that are not UTF-8 match nothing: all expressions used here match ASCII.

use std::str;

use regex_lite::Error;

/// A compiled regular expression for bytes.
#[derive(Clone, Debug)]
pub struct Regex(regex_lite::Regex);

impl Regex {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// If it is not a valid regular expression.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        regex_lite::Regex::new(pattern).map(Self)
    }

    /// Returns true if it matches anywhere in `haystack`.
    #[must_use]
    pub fn is_match(&self, haystack: &[u8]) -> bool {
        str::from_utf8(haystack).is_ok_and(|text| self.0.is_match(text))
    }

    /// Returns the first match in `haystack`, with its groups.
    #[must_use]
    pub fn captures<'h>(&self, haystack: &'h [u8]) -> Option<Captures<'h>> {
        self.0.captures(str::from_utf8(haystack).ok()?).map(Captures)
    }
}

/// Groups of one match.
#[derive(Debug)]
pub struct Captures<'h>(regex_lite::Captures<'h>);

impl<'h> Captures<'h> {
    /// Returns a group, if it took part in the match; 0 is the whole match.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Match<'h>> {
        self.0.get(number).map(Match)
    }
}

/// Match of one group.
#[derive(Clone, Copy, Debug)]
pub struct Match<'h>(regex_lite::Match<'h>);

impl<'h> Match<'h> {
    /// Returns the matched bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &'h [u8] {
        self.0.as_str().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_version_matches_the_pattern_of_mysql_common() {
        let version = Regex::new(r"^5.5.5-(\d{1,2})\.(\d{1,2})\.(\d{1,3})-MariaDB").unwrap();
        let captures = version.captures(b"5.5.5-10.11.19-MariaDB-0+deb12u1").unwrap();
        let parts = [1, 2, 3].map(|number| captures.get(number).unwrap().as_bytes());
        assert_eq!(parts, [&b"10"[..], b"11", b"19"]);
        assert!(version.captures(b"8.0.36").is_none());
    }

    #[test]
    fn non_utf8_bytes_match_nothing() {
        let any = Regex::new("a").unwrap();
        assert!(any.is_match(b"za"));
        assert!(!any.is_match(b"a\xff"));
        assert!(any.captures(b"a\xff").is_none());
    }

    #[test]
    fn unmatched_groups_are_absent() {
        let either = Regex::new("(a)|(b)").unwrap();
        let captures = either.captures(b"b").unwrap();
        assert!(captures.get(1).is_none());
        assert_eq!(captures.get(2).unwrap().as_bytes(), b"b");
        assert!(captures.get(3).is_none());
    }
}
