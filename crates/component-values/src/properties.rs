//! The properties of a component: `spec.metadata` of its YAML, with typed getters.
//!
//! Names are case-insensitive, as in `dapr/kit/metadata`. An empty value counts as absent. Error messages name the
//! property and never show a value, because any value may have come from a secret store.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::{Secret, go_duration};

/// An ordered list of names and values.
#[derive(Clone, Default)]
pub struct Properties(Vec<Property>);

#[derive(Clone)]
struct Property {
    name: String,
    value: Value,
}

#[derive(Clone)]
enum Value {
    Plain(String),
    Secret(Secret),
}

impl Value {
    fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

/// An error for a missing or invalid property.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PropertyError {
    /// A required property is missing.
    #[error("property {name:?} is required")]
    Missing {
        /// Name of the property, as documented.
        name: String,
    },
    /// The value is invalid.
    #[error("property {name:?} must be {expected}")]
    Invalid {
        /// Name of the property, as documented.
        name: String,
        /// Description of valid values.
        expected: String,
    },
}

impl PropertyError {
    /// Creates the error that `name` must be `expected`.
    pub fn invalid(name: &str, expected: impl Into<String>) -> Self {
        Self::Invalid { name: name.to_owned(), expected: expected.into() }
    }
}

impl Properties {
    /// Adds a value from the YAML itself.
    pub fn push_plain(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push(Property { name: name.into(), value: Value::Plain(value.into()) });
    }

    /// Adds a value from a secret store or the environment.
    pub fn push_secret(&mut self, name: impl Into<String>, value: Secret) {
        self.0.push(Property { name: name.into(), value: Value::Secret(value) });
    }

    /// Creates properties any of which may be a secret, so that no value shows in `Debug` output.
    pub fn from_secrets(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let secret = |(name, value): (String, String)| Property { name, value: Value::Secret(value.into()) };
        Self(pairs.into_iter().map(secret).collect())
    }

    /// Returns the value of `name`. If a name occurs twice the last one counts, as in Dapr.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_raw(name).filter(|text| !text.is_empty())
    }

    /// Returns the value of `name`, including an empty one.
    pub fn get_raw(&self, name: &str) -> Option<&str> {
        let property = self.0.iter().rev().find(|property| property.name.eq_ignore_ascii_case(name))?;
        Some(property.value.expose())
    }

    /// Returns the value of the first of `names` that has one; for properties with aliases.
    pub fn get_any(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Returns the value of `name`, or an error if it is missing.
    pub fn required(&self, name: &str) -> Result<&str, PropertyError> {
        self.get(name).ok_or_else(|| PropertyError::Missing { name: name.to_owned() })
    }

    /// Parses a boolean.
    ///
    /// Accepts what `dapr/kit/strings.IsTruthy` accepts, and its opposites; anything else is an error.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, PropertyError> {
        self.parse(name, "true or false", |text| match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        })
    }

    /// Parses an integer.
    pub fn int<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, PropertyError> {
        self.parse(name, "a whole number in range", |text| text.trim().parse().ok())
    }

    /// Parses a duration: Go's syntax (`1m30s`), or a bare number of seconds.
    ///
    /// A negative one counts as zero, since no property of Dapr distinguishes the two.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, PropertyError> {
        self.parse(name, "a duration such as 20s or 1m30s", |text| {
            let text = text.trim();
            let nanos = match text.parse::<i64>() {
                Ok(seconds) => seconds.checked_mul(go_duration::SECOND)?,
                Err(_) => go_duration::parse(text).ok()?,
            };
            Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)))
        })
    }

    /// Lists the names in order; for a component that rejects unknown ones.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|property| property.name.as_str())
    }

    /// Lists all names and values in order, including secrets, for a component that passes them on.
    pub fn exposed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|property| (property.name.as_str(), property.value.expose()))
    }

    /// Removes the properties for which `is_other` returns true.
    #[must_use]
    pub fn without(self, is_other: impl Fn(&str) -> bool) -> Self {
        Self(self.0.into_iter().filter(|property| !is_other(&property.name)).collect())
    }

    /// Parses the value of `name` with `read`; an error says that it must be `expected`.
    ///
    /// # Errors
    /// When `read` returns `None`.
    pub fn parse<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, PropertyError> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => read(text).map(Some).ok_or_else(|| PropertyError::invalid(name, expected)),
        }
    }
}

/// Collects plain values, for programs and tests that write properties themselves.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut properties = Self::default();
        for (name, value) in pairs {
            properties.push_plain(name, value);
        }
        properties
    }
}

/// Shows names and plain values; a secret shows as a placeholder.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|property| {
                let value: &dyn fmt::Debug = match &property.value {
                    Value::Plain(text) => text,
                    Value::Secret(secret) => secret,
                };
                (&property.name, value)
            }))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str) -> Properties {
        Properties::from_iter([("cleanupInterval", value)])
    }

    #[test]
    fn names_are_case_insensitive_and_the_last_value_counts() {
        let properties = Properties::from_iter([("redisHost", "a"), ("REDISHOST", "b")]);
        assert_eq!(properties.get("redishost"), Some("b"));
        assert_eq!(properties.get_any(&["host", "redisHost"]), Some("b"));
        assert_eq!(properties.required("url").unwrap_err().to_string(), "property \"url\" is required");
    }

    #[test]
    fn secret_value_is_hidden_in_debug_and_errors() {
        let properties = Properties::from_secrets([("timeout".to_owned(), "hunter2".to_owned())]);
        let error = properties.duration("timeout").unwrap_err();
        let shown = format!("{properties:?} {error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("[redacted]") && shown.contains("timeout"), "{shown}");
    }

    #[test]
    fn durations_parse_in_go_syntax_or_as_seconds() {
        let read = |text| check(text).duration("cleanupinterval").unwrap();
        assert_eq!(read("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(read("20"), Some(Duration::from_secs(20)));
        assert_eq!(read("-1"), Some(Duration::ZERO));
        assert_eq!(read(""), None);
        let error = check("soon").duration("cleanupInterval").unwrap_err();
        assert_eq!(error.to_string(), "property \"cleanupInterval\" must be a duration such as 20s or 1m30s");
    }

    #[test]
    fn booleans_and_numbers_parse_strictly() {
        let properties = Properties::from_iter([("on", "Yes"), ("off", "0"), ("odd", "maybe"), ("count", "300")]);
        assert_eq!(properties.bool("on"), Ok(Some(true)));
        assert_eq!(properties.bool("off"), Ok(Some(false)));
        assert!(properties.bool("odd").is_err());
        assert_eq!(properties.int::<u16>("count"), Ok(Some(300)));
        assert!(properties.int::<u8>("count").is_err());
        assert_eq!(properties.int::<u8>("absent"), Ok(None));
    }
}
