//! The program `wasmtime`.

use std::env;
use std::path::PathBuf;

/// Version for composed components: that of the library that daprlet is built on.
pub const WASMTIME: &str = "48.0.8";

/// Returns the program for a test: the one that `WASMTIME` names, else the one that setup built. Prints a message if
/// there is none.
///
/// # Panics
/// If there is none on CI, where nothing may be missing.
#[must_use]
#[expect(clippy::print_stderr, clippy::panic, reason = "a test that did not run says so, and on CI it fails")]
pub fn wasmtime() -> Option<PathBuf> {
    let built = || Some(crate::caches().ok()?.join(format!("tools/wasmtime-{WASMTIME}/serving/bin/wasmtime")));
    let found = env::var_os("WASMTIME").map(PathBuf::from).or_else(built).filter(|program| program.is_file());
    if found.is_none() {
        let missing = "there is no wasmtime; `cargo xtask setup --wasmtime` builds one";
        if env::var_os("CI").is_some() {
            panic!("{missing}, and on CI it must be there");
        }
        eprintln!("DID NOT RUN: {missing}");
    }
    found
}
