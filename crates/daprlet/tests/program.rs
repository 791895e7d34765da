//! Smoke test of the program; `tests/e2e` tests its behaviour.

use std::process::Command;

#[test]
fn no_arguments_prints_usage_and_fails() {
    let ended = Command::new(env!("CARGO_BIN_EXE_daprlet")).output().unwrap();
    assert_eq!(ended.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("Usage: daprlet"));
}
