//! What is in `deploy/` is what Kubernetes, Dapr, Docker and systemd understand, and says what the code says.

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
