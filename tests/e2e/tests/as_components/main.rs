//! The same application with its services as components: shared tests, and tests of what only components do.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

#[path = "../app/classes.rs"]
mod classes;
mod composed;
#[path = "../app/events.rs"]
mod events;
mod instances;
mod keyvalue;
#[path = "../app/pictures.rs"]
mod pictures;
#[path = "../app/real_pictures.rs"]
mod real_pictures;
#[path = "../app/refusals.rs"]
mod refusals;
mod refused;

/// Options for services as components.
fn options() -> e2e::Options {
    e2e::Options { as_components: true, ..e2e::Options::default() }
}
