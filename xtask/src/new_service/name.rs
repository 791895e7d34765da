//! Names that are folder, package, Rust identifier and Dapr app id at once.

use std::fmt;
use std::str::FromStr;

/// The longest label of a host name: Kubernetes makes one of an app id.
const MOST_CHARS: usize = 63;

/// A name in kebab-case.
#[derive(Clone, Debug)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as Rust's crate name.
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
        // One word alone may be a keyword or a crate of the standard library; two words are neither.
        if !text.contains('-') {
            return Err("a name has at least two words, such as image-api-resize");
        }
        if text.len() > MOST_CHARS {
            return Err("a name has at most 63 characters");
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_dashes_are_a_name() {
        assert_eq!("image-api-v2".parse::<Name>().unwrap().as_identifier(), "image_api_v2");
    }

    #[test]
    fn what_cannot_be_a_folder_and_a_crate_and_a_host_name_is_refused() {
        let long = format!("a-{}", "b".repeat(62));
        for name in ["", "Image-api", "image_api", "-a", "a-", "a--b", "2-a", "../a", "fn", "core", "a b", &long] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
    }
}
