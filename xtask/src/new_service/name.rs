//! Names that are directory, package, Rust identifier and Dapr app id at once.

use std::fmt;
use std::str::FromStr;

/// Longest label of a host name: Kubernetes uses the app id as one.
const MAX_CHARS: usize = 63;

/// A name in kebab-case.
#[derive(Clone, Debug)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the Rust crate.
    pub(crate) fn as_identifier(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        };
        if !text.starts_with(|letter: char| letter.is_ascii_lowercase()) || !text.split('-').all(is_word) {
            return Err("a name is lower-case words with dashes between them, such as image-api-resize");
        }
        // A single word may be a keyword or a crate of the standard library; two words are neither.
        if !text.contains('-') {
            return Err("a name has at least two words, such as image-api-resize");
        }
        if text.len() > MAX_CHARS {
            return Err("a name has at most 63 characters");
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_case_is_a_name() {
        assert_eq!("image-api-v2".parse::<Name>().unwrap().as_identifier(), "image_api_v2");
    }

    #[test]
    fn invalid_names_are_refused() {
        let long = format!("a-{}", "b".repeat(62));
        for name in ["", "Image-api", "image_api", "-a", "a-", "a--b", "2-a", "../a", "fn", "core", "a b", &long] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
    }
}
