//! Mistakes in files, collected.

use std::fmt;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: String,
    message: String,
}

impl Problem {
    /// A mistake at `place` (`FILE:LINE`, or what else tells where).
    #[must_use]
    pub fn new(place: &str, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// All mistakes found, as an error at least one; and what is only worth a warning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    mistakes: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Problems {
    /// Adds one, unless it is known already: files are read once for each application that uses them.
    pub fn push(&mut self, problem: Problem) {
        if !self.mistakes.contains(&problem) {
            self.mistakes.push(problem);
        }
    }

    /// Adds what has no effect, and is no mistake unless the user wants it strict; once, as above.
    pub fn warn(&mut self, problem: Problem) {
        if !self.warnings.contains(&problem) {
            self.warnings.push(problem);
        }
    }

    /// Takes the value of `result`, or its mistakes.
    pub fn collect<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(others) => {
                others.mistakes.into_iter().for_each(|problem| self.push(problem));
                others.warnings.into_iter().for_each(|problem| self.warn(problem));
                None
            }
        }
    }

    /// Makes every warning a mistake.
    pub fn be_strict(&mut self) {
        std::mem::take(&mut self.warnings).into_iter().for_each(|problem| self.push(problem));
    }

    /// The warnings, where there are no mistakes.
    ///
    /// # Errors
    /// The mistakes, if there are any.
    pub fn into_result(self) -> Result<Vec<Problem>, Self> {
        if self.mistakes.is_empty() { Ok(self.warnings) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { mistakes: vec![problem], warnings: Vec::new() }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.as_slice() {
            [one] => write!(f, "{one}"),
            many => {
                write!(f, "{} mistakes:", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}
