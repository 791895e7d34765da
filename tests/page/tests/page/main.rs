//! All features of the page, in Chromium.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the tests' own steps are no `#[test]` functions")]

mod access;
mod classes;
mod events;
mod failures;
mod pictures;
mod readme;
mod settings;
