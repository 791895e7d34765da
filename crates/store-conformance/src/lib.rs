//! What every state store must do, as a suite that runs against any of them: native, Wasm, or behind a real `daprd`.
//!
//! Follows what `components-contrib/tests/conformance/state/state.go` checks, and adds what that leaves open. A case that is
//! about a feature runs where the store declares it. Where Dapr's own stores differ from each other, a store says so in
//! [`Behaviours`] and is held to what it says; no case is loosened.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test suite: a case fails by panicking, and the runner reports it"
)]

mod bulk;
mod cases;
mod concurrency;
mod etags;
mod first_write;
mod keys;
mod report;
mod subject;
mod transactions;
mod ttl;
mod values;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use building_blocks::StateStore;
use futures_util::FutureExt;

pub use report::{Outcome, Report, table};
pub use subject::{Behaviours, Subject};

/// Runs every case against `store`, one after the other, each on keys of its own. `name` is what the table calls it.
pub async fn run(name: &str, store: Arc<dyn StateStore>, behaviours: Behaviours) -> Report {
    let mut report = Report { store: name.to_owned(), outcomes: Vec::new() };
    let features = store.features();
    for case in cases::all() {
        let outcome = if case.needs.is_met(features, &behaviours) {
            let subject = Subject::new(store.clone(), behaviours.clone(), case.name);
            match AssertUnwindSafe((case.run)(subject)).catch_unwind().await {
                Ok(()) => Outcome::Passed,
                Err(panic) => Outcome::Failed(message(&*panic)),
            }
        } else {
            Outcome::NotDeclared
        };
        report.outcomes.push((case.name, outcome));
    }
    report
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
