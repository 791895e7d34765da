//! Strict readers of the files in `deploy/`.
//!
//! Kubernetes drops unknown fields, and so do most readers of its YAML: a misspelled probe never runs. Here it is an
//! error.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper of tests fails them by panicking, and says when one did not run"
)]

pub mod kustomize;
mod manifest;
mod typed;
pub mod unit;

use std::path::{Path, PathBuf};

pub use manifest::Manifest;

/// Returns a path in the repository.
pub fn repository(inside: impl AsRef<Path>) -> PathBuf {
    Path::new("../..").canonicalize().unwrap().join(inside)
}

/// Reads a text file of the repository.
///
/// # Panics
/// If it does not exist.
pub fn text(inside: impl AsRef<Path>) -> String {
    let path = repository(inside);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lists all files below a directory of the repository.
///
/// # Panics
/// If it cannot be read.
pub fn files(inside: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![repository(inside)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}
