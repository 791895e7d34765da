//! Conformance suite for state stores of any kind: native, Wasm, or behind `daprd`.
//!
//! Follows the checks of `components-contrib/tests/conformance/state/state.go`, and adds cases for what they leave
//! open. Cases about a feature run if the store declares it. Where Dapr's own stores differ, a store declares its
//! [`Behaviours`] and is tested against them; no case is relaxed.

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

use dapr_building_blocks::StateStore;
use futures_util::FutureExt;

pub use report::{Outcome, Report, table};
pub use subject::{Behaviours, Subject};

/// Runs all cases against `store` in sequence, each on its own keys. The table shows the store as `name`.
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
