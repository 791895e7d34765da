//! `cargo xtask new-service`, run on a copy of this repository.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What is built, stored or under version control by itself.
const NOT_COPIED: &[&str] = &["target", "wasm", "data", ".git"];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (name, path) = (entry.file_name(), entry.path());
        if NOT_COPIED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if path.is_dir() { copy(&path, &to.join(name)) } else { drop(fs::copy(&path, to.join(name)).unwrap()) }
    }
}

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), folder.path());
    folder
}

fn new_service(root: &Path, name: &str) -> Output {
    let xtask = env!("CARGO_BIN_EXE_xtask");
    Command::new(xtask).arg("--root").arg(root).args(["new-service", name]).output().unwrap()
}

#[test]
fn a_new_service_is_in_place_and_its_tests_compile() {
    let repository = repository();
    let root = repository.path();
    let done = new_service(root, "note-keeper");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    let template = fs::read_to_string(root.join("dapr.yaml")).unwrap();
    assert!(template.contains("- appID: note-keeper\n") && template.contains("\"../wasm/note-keeper.wasm\""));
    let library = fs::read_to_string(root.join("note-keeper/src/lib.rs")).unwrap();
    assert!(library.contains("\"note-keeper\"") && !library.contains("template"), "{library}");

    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/new-service"));
    let checked = cargo.args(["check", "--package", "note-keeper", "--tests", "--locked", "--offline"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_name_that_is_taken_or_malformed_changes_nothing() {
    let repository = repository();
    let before = fs::read_to_string(repository.path().join("dapr.yaml")).unwrap();
    for (name, complaint) in [("events-service", "already"), ("service-kit", "already"), ("Bad_Name", "lower-case")] {
        let done = new_service(repository.path(), name);
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && told.contains(complaint), "{name}: {told}");
    }
    assert_eq!(fs::read_to_string(repository.path().join("dapr.yaml")).unwrap(), before);
}
