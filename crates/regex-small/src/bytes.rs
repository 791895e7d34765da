//! Searching bytes. What is no UTF-8 matches nothing: the expressions that are used here match ASCII.

use std::str;

use regex_lite::Error;

/// A compiled regular expression for bytes.
#[derive(Clone, Debug)]
pub struct Regex(regex_lite::Regex);

impl Regex {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// Where it is not a regular expression.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        regex_lite::Regex::new(pattern).map(Self)
    }

    /// Whether it matches somewhere in `haystack`.
    #[must_use]
    pub fn is_match(&self, haystack: &[u8]) -> bool {
        str::from_utf8(haystack).is_ok_and(|text| self.0.is_match(text))
    }

    /// The first match in `haystack`, with its groups.
    #[must_use]
    pub fn captures<'h>(&self, haystack: &'h [u8]) -> Option<Captures<'h>> {
        self.0.captures(str::from_utf8(haystack).ok()?).map(Captures)
    }
}

/// The groups of one match.
#[derive(Debug)]
pub struct Captures<'h>(regex_lite::Captures<'h>);

impl<'h> Captures<'h> {
    /// The group with this number, if it took part in the match; 0 is all of it.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Match<'h>> {
        self.0.get(number).map(Match)
    }
}

/// What one group has matched.
#[derive(Clone, Copy, Debug)]
pub struct Match<'h>(regex_lite::Match<'h>);

impl<'h> Match<'h> {
    /// The bytes of it.
    #[must_use]
    pub fn as_bytes(&self) -> &'h [u8] {
        self.0.as_str().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_server_is_found_as_mysql_common_looks_for_it() {
        let version = Regex::new(r"^5.5.5-(\d{1,2})\.(\d{1,2})\.(\d{1,3})-MariaDB").unwrap();
        let captures = version.captures(b"5.5.5-10.11.19-MariaDB-0+deb12u1").unwrap();
        let parts = [1, 2, 3].map(|number| captures.get(number).unwrap().as_bytes());
        assert_eq!(parts, [&b"10"[..], b"11", b"19"]);
        assert!(version.captures(b"8.0.36").is_none());
    }

    #[test]
    fn bytes_that_are_no_text_match_nothing() {
        let any = Regex::new("a").unwrap();
        assert!(any.is_match(b"za"));
        assert!(!any.is_match(b"a\xff"));
        assert!(any.captures(b"a\xff").is_none());
    }

    #[test]
    fn groups_that_took_no_part_are_absent() {
        let either = Regex::new("(a)|(b)").unwrap();
        let captures = either.captures(b"b").unwrap();
        assert!(captures.get(1).is_none());
        assert_eq!(captures.get(2).unwrap().as_bytes(), b"b");
        assert!(captures.get(3).is_none());
    }
}
