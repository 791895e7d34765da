//! Logs components that become unavailable, and recover: one line each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time after the last failure from which a success counts as recovery.
///
/// On a full disk, a statement that writes nothing succeeds.
const RECOVERY_DELAY: Duration = Duration::from_secs(5);

/// Components that are unavailable at the moment.
#[derive(Debug, Default)]
pub(crate) struct Availability(Mutex<BTreeMap<String, Loss>>);

#[derive(Debug)]
struct Loss {
    /// Operations that have failed and not succeeded since.
    operations: BTreeSet<String>,
    last_failure: Instant,
}

/// A change of availability, to be logged.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Lost,
    Recovered,
}

impl Availability {
    /// Records the outcome of an operation; `error` where the component is unreachable or its disk is full.
    pub(crate) fn record(&self, app: &str, component: &str, operation: &str, error: Option<&dyn Display>) {
        match (self.update(component, operation, error.is_some(), Instant::now()), error) {
            (Some(Change::Lost), Some(error)) => {
                tracing::error!(app, component, operation, %error, "component unavailable")
            }
            (Some(Change::Recovered), _) => tracing::info!(app, component, "component available again"),
            _ => {}
        }
    }

    /// Updates the state of a component.
    ///
    /// A failing operation says nothing of others: a full disk can still be read. So a component has recovered only
    /// when all failed operations succeed.
    fn update(&self, component: &str, operation: &str, is_lost: bool, now: Instant) -> Option<Change> {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_lost {
            let is_first = !lost.contains_key(component);
            let new = || Loss { operations: BTreeSet::new(), last_failure: now };
            let loss = lost.entry(component.to_owned()).or_insert_with(new);
            loss.operations.insert(operation.to_owned());
            loss.last_failure = now;
            return is_first.then_some(Change::Lost);
        }
        let loss = lost.get_mut(component)?;
        if now.saturating_duration_since(loss.last_failure) < RECOVERY_DELAY {
            return None;
        }
        loss.operations.remove(operation);
        if !loss.operations.is_empty() {
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
    fn component_is_logged_once_when_lost_and_once_when_back() {
        let availability = Availability::default();
        let begin = Instant::now();
        let steps = [
            (0, "read", false, None),
            (0, "write", true, Some(Change::Lost)),
            (1, "write", true, None),
            (2, "read", false, None),
            (3, "read", true, None),
            // Too soon to count as recovery.
            (4, "write", false, None),
            (9, "write", false, None),
            (9, "read", false, Some(Change::Recovered)),
            (9, "read", false, None),
            (10, "read", true, Some(Change::Lost)),
        ];
        for (second, operation, is_lost, expected) in steps {
            let now = begin + Duration::from_secs(second);
            let change = availability.update("store", operation, is_lost, now);
            assert_eq!(change, expected, "second {second}: {operation}");
        }
        assert_eq!(availability.update("other", "read", false, begin), None);
    }
}
