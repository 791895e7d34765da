//! The files in `deploy/` are valid for Kubernetes, Dapr, Docker and systemd, and match the code.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "these are tests, which fail by panicking"
)]

mod application;
mod dapr;
mod deployments;
mod images;
mod manifests;
mod scripts;
mod secrets;
mod systemd;
mod workflows;
