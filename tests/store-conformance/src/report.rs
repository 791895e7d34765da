//! Results of the cases, for one or several stores.

use std::fmt::Write as _;

/// Result of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The store conforms.
    Passed,
    /// The store does not conform; with the failure message.
    Failed(String),
    /// The case requires a feature that the store does not declare.
    NotDeclared,
}

/// Results of all cases for one store.
#[derive(Debug)]
pub struct Report {
    /// Name of the store.
    pub store: String,
    /// Results in the order of the cases.
    pub outcomes: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// Fails the calling test if any case failed, and lists all failures.
    ///
    /// # Panics
    /// When a case failed.
    pub fn assert_passed(&self) {
        let failures: Vec<_> = self.failures().map(|(name, said)| format!("{name}: {said}")).collect();
        assert!(failures.is_empty(), "{}: {} cases failed:\n{}", self.store, failures.len(), failures.join("\n"));
    }

    /// Returns the failed cases with their messages.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.outcomes.iter().filter_map(|(name, outcome)| match outcome {
            Outcome::Failed(said) => Some((*name, said.as_str())),
            Outcome::Passed | Outcome::NotDeclared => None,
        })
    }

    fn passed(&self) -> usize {
        self.outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Passed).count()
    }
}

/// Formats a table of cases by store: passed, failed or not declared.
#[must_use]
pub fn table(reports: &[Report]) -> String {
    let mut text = String::from("| case |");
    for report in reports {
        let _ = write!(text, " {} |", report.store);
    }
    let _ = write!(text, "\n|---|{}\n", "---|".repeat(reports.len()));
    let cases = reports.first().map(|report| report.outcomes.as_slice()).unwrap_or_default();
    for (index, (case, _)) in cases.iter().enumerate() {
        let _ = write!(text, "| {} |", case.replace('_', " "));
        for report in reports {
            let shown = match report.outcomes.get(index).map(|(_, outcome)| outcome) {
                Some(Outcome::Passed) => "yes",
                Some(Outcome::Failed(_)) => "NO",
                Some(Outcome::NotDeclared) | None => "-",
            };
            let _ = write!(text, " {shown} |");
        }
        text.push('\n');
    }
    let _ = write!(text, "| **{} cases, passed** |", cases.len());
    for report in reports {
        let _ = write!(text, " {} |", report.passed());
    }
    text.push('\n');
    text
}
