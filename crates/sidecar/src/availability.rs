//! Log lines about components that fail and recover: one when a component is lost, one when it is back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

/// What cannot be done at the moment, by component.
#[derive(Debug, Default)]
pub(crate) struct Availability(Mutex<BTreeMap<String, BTreeSet<String>>>);

/// A change that is worth a line.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Lost,
    Recovered,
}

impl Availability {
    /// Notes how `operation` of a component ended; `error` where the component could not be reached, or its disk is full.
    pub(crate) fn note(&self, app: &str, component: &str, operation: &str, error: Option<&dyn Display>) {
        match (self.update(component, operation, error.is_some()), error) {
            (Some(Change::Lost), Some(error)) => {
                tracing::error!(app, component, operation, %error, "component unavailable")
            }
            (Some(Change::Recovered), _) => tracing::info!(app, component, "component available again"),
            _ => {}
        }
    }

    /// An operation that fails says nothing of others: of a full disk can be read. So a component is back when all do that
    /// had failed.
    fn update(&self, component: &str, operation: &str, is_lost: bool) -> Option<Change> {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_lost {
            let operations = lost.entry(component.to_owned()).or_default();
            let is_first = operations.is_empty();
            operations.insert(operation.to_owned());
            return is_first.then_some(Change::Lost);
        }
        let operations = lost.get_mut(component)?;
        operations.remove(operation);
        if !operations.is_empty() {
            return None;
        }
        lost.remove(component);
        Some(Change::Recovered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn component_is_told_once_when_lost_and_once_when_back() {
        let availability = Availability::default();
        let steps = [
            ("read", false, None),
            ("write", true, Some(Change::Lost)),
            ("write", true, None),
            ("read", false, None),
            ("read", true, None),
            ("write", false, None),
            ("read", false, Some(Change::Recovered)),
            ("read", false, None),
        ];
        for (number, (operation, is_lost, expected)) in steps.into_iter().enumerate() {
            assert_eq!(availability.update("store", operation, is_lost), expected, "step {number}");
        }
        assert_eq!(availability.update("other", "read", false), None);
    }
}
