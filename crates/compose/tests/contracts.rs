//! Checks that the contracts in `wit/` do not change without a new version.
//!
//! Components built against a version must keep working.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use wit_component::WitPrinter;
use wit_parser::Resolve;

/// Directories of the project's own contracts; the others are WASI's.
const OURS: [&str; 2] = ["components", "runtime"];

fn wit() -> PathBuf {
    PathBuf::from("../../wit")
}

/// Returns a package's name with its version, and the digest of everything in it except its documentation.
fn contract(folder: &str) -> (String, String) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit().join(folder)).unwrap_or_else(|error| panic!("wit/{folder}: {error:?}"));
    let mut printer = WitPrinter::default();
    printer.emit_docs(false);
    printer.print(&resolve, package, &[]).unwrap_or_else(|error| panic!("wit/{folder}: {error:?}"));
    let digest = Sha256::digest(printer.output.to_string());
    let digest = digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("text takes text");
        text
    });
    (resolve.packages[package].name.to_string(), digest)
}

#[test]
fn changed_contract_has_a_new_version() {
    let known = fs::read_to_string(wit().join("versions.txt")).expect("wit/versions.txt");
    let lines = OURS.map(|folder| {
        let (name, digest) = contract(folder);
        format!("{name} {digest}")
    });
    let changed: Vec<_> = lines.iter().filter(|line| !known.lines().any(|known| known == *line)).collect();
    assert!(
        changed.is_empty(),
        "these do not match wit/versions.txt, and components were built against them: give what has changed another \
         version (a later patch if it only adds), and write its line into that file: {changed:#?}",
    );
}
