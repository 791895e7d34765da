//! Errors and warnings in configuration files, collected.

use std::fmt;

/// One error or warning, with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    place: String,
    message: String,
}

impl ConfigError {
    /// Creates an error at `place` (`FILE:LINE`, or another description of the position).
    #[must_use]
    pub fn new(place: &str, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), message: message.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// All errors and warnings found. As an `Err`, it holds at least one error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
}

impl ConfigErrors {
    /// Adds an error once: files are read again for each application that uses them.
    pub fn push(&mut self, error: ConfigError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// Adds a warning about a field without effect, once. It is an error only in strict mode.
    pub fn warn(&mut self, error: ConfigError) {
        if !self.warnings.contains(&error) {
            self.warnings.push(error);
        }
    }

    /// Returns the value of `result`, or adds its errors and warnings.
    pub fn collect<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(others) => {
                others.errors.into_iter().for_each(|error| self.push(error));
                others.warnings.into_iter().for_each(|error| self.warn(error));
                None
            }
        }
    }

    /// Turns every warning into an error.
    pub fn be_strict(&mut self) {
        std::mem::take(&mut self.warnings).into_iter().for_each(|error| self.push(error));
    }

    /// Returns the warnings if there are no errors.
    ///
    /// # Errors
    /// The errors, if there are any.
    pub fn into_result(self) -> Result<Vec<ConfigError>, Self> {
        if self.errors.is_empty() { Ok(self.warnings) } else { Err(self) }
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self { errors: vec![error], warnings: Vec::new() }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [one] => write!(f, "{one}"),
            many => {
                write!(f, "{} errors:", many.len())?;
                many.iter().try_for_each(|error| write!(f, "\n  {error}"))
            }
        }
    }
}

impl std::error::Error for ConfigErrors {}
