//! The program as it was built with these tests; `crates/e2e` tests what it does.

use std::process::Command;

#[test]
fn without_arguments_it_shows_its_usage_and_fails() {
    let ended = Command::new(env!("CARGO_BIN_EXE_daprlet")).output().unwrap();
    assert_eq!(ended.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("Usage: daprlet"));
}
