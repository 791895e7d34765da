//! The contracts in `wit/` do not change under their versions: who has built against one goes on working.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use wit_component::WitPrinter;
use wit_parser::Resolve;

/// The folders of the project's own contracts; the others are WASI's.
const OURS: [&str; 2] = ["components", "runtime"];

fn wit() -> PathBuf {
    PathBuf::from("../../wit")
}

/// A package's name with its version, and the digest of everything in it but the words.
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
fn a_contract_that_has_changed_has_another_version() {
    let known = fs::read_to_string(wit().join("versions.txt")).expect("wit/versions.txt");
    let lines = OURS.map(|folder| {
        let (name, digest) = contract(folder);
        format!("{name} {digest}")
    });
    let changed: Vec<_> = lines.iter().filter(|line| !known.lines().any(|known| known == *line)).collect();
    assert!(
        changed.is_empty(),
        "these are not what wit/versions.txt says, and components were built against them: give what has changed another \
         version (a later patch if it only adds), and write its line into that file: {changed:#?}",
    );
}
