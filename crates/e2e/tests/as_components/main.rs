//! The same application with its services as components: what they answer is tested by the same tests, and what only components
//! do by its own.

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

/// The services are components.
fn options() -> e2e::Options {
    e2e::Options { as_components: true, ..e2e::Options::default() }
}
