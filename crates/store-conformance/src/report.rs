//! What became of each case, for one store and for many.

use std::fmt::Write as _;

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The store does what it must.
    Passed,
    /// It does not; with what it did.
    Failed(String),
    /// The case is about a feature that the store does not declare.
    NotDeclared,
}

/// What became of all cases with one store.
#[derive(Debug)]
pub struct Report {
    /// The store.
    pub store: String,
    /// The cases in their order.
    pub outcomes: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// Fails the test that calls it if any case failed, and names all that did.
    ///
    /// # Panics
    /// If a case failed.
    pub fn assert_passed(&self) {
        let failures: Vec<_> = self.failures().map(|(name, said)| format!("{name}: {said}")).collect();
        assert!(failures.is_empty(), "{}: {} cases failed:\n{}", self.store, failures.len(), failures.join("\n"));
    }

    /// The cases that failed, with what the store did.
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

/// Store by case: which passed, which failed, and which the store does not declare.
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
