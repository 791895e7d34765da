//! Smoke test of the program; `tests/e2e` tests its behaviour.

use std::process::Command;

#[test]
fn no_arguments_prints_usage_and_fails() {
    let ended = Command::new(env!("CARGO_BIN_EXE_daprlet")).output().unwrap();
    assert_eq!(ended.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("Usage: daprlet"));
}

#[test]
#[cfg(feature = "optimize")]
fn optimize_error_names_the_file_and_has_its_code() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("text.wasm"), "text").unwrap();
    for (file, code) in [("text.wasm", 64), ("missing.wasm", 1)] {
        let mut optimize = Command::new(env!("CARGO_BIN_EXE_daprlet"));
        let ended = optimize.current_dir(&directory).args(["optimize", file, "-o", "out.wasm"]).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{file}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains(file), "{ended:?}");
        assert!(!directory.path().join("out.wasm").exists(), "{file}");
    }
}
