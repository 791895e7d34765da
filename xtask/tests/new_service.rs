//! `cargo xtask new-service`, run on a copy of this repository.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::request;
use tempfile::TempDir;

/// What is built, stored or under version control by itself.
const NOT_COPIED: &[&str] = &["target", "wasm", "data", ".git"];

/// A copy of this repository.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), folder.path());
        Self(folder)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    /// Runs a program in the copy, which shares with this repository what is built from the crate registry.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("..");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path()).env("CARGO_TARGET_DIR", target);
        let output = command.output().unwrap();
        let told = || [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        if output.status.success() { Ok(()) } else { Err(told()) }
    }

    fn xtask(&self, arguments: &[&str]) -> Result<(), String> {
        let root = self.0.path().display().to_string();
        self.run(env!("CARGO_BIN_EXE_xtask"), &[&["--root", &root], arguments].concat())
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if NOT_COPIED.iter().any(|skipped| entry.file_name() == *skipped) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

#[test]
fn a_new_service_passes_its_tests_and_answers_through_dapr() {
    let repository = Copy::new();
    repository.xtask(&["new-service", "note-keeper"]).unwrap();
    let template = repository.read("dapr.yaml");
    assert!(template.contains("- appID: note-keeper\n") && template.contains("\"../wasm/note-keeper.wasm\""));
    let library = repository.read("note-keeper/src/lib.rs");
    assert!(library.contains("\"note-keeper\"") && !library.contains("template"), "{library}");

    let tests = ["test", "--package", "note-keeper", "--locked", "--offline"];
    repository.run(env!("CARGO"), &tests).unwrap();
    repository.xtask(&["build-wasm", "--package", "note-keeper"]).unwrap();

    let [port, dapr_port] = e2e::free_ports().map(|port| port.to_string());
    let flags = ["run", "--app-id", "note-keeper", "--app-port", &port, "--dapr-http-port", &dapr_port];
    let (own_port, own_dapr_port) = (format!("APP_PORT={port}"), format!("DAPR_HTTP_PORT={dapr_port}"));
    let module = ["--resources-path", "../config", "wasmedge", "--env", &own_port, "--env", &own_dapr_port];
    let arguments = [flags.as_slice(), &module, &["../wasm/note-keeper.wasm"]].concat();
    let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    let daprlet = e2e::daprlet(&repository.0.path().join("note-keeper"), &arguments);

    let note = format!("http://127.0.0.1:{dapr_port}/v1.0/invoke/note-keeper/method/note");
    daprlet.until(|| (request("POST", &note).body("buy milk").send().status == 200).then_some(()));
    assert_eq!(request("GET", &note).send().text(), "buy milk");
    assert_eq!(request("GET", &format!("http://127.0.0.1:{port}/note")).send().text(), "buy milk");
}

#[test]
fn suites_that_look_at_the_tree_pass_with_a_new_service() {
    let repository = Copy::new();
    repository.xtask(&["new-service", "note-keeper"]).unwrap();
    repository.run(env!("CARGO"), &["test", "--package", "deploy-tests", "--locked", "--offline"]).unwrap();
}

#[test]
fn a_name_that_is_taken_or_malformed_changes_nothing() {
    let repository = Copy::new();
    let before = repository.read("dapr.yaml");
    for (name, complaint) in [("events-service", "already"), ("service-kit", "already"), ("Bad_Name", "lower-case")] {
        let told = repository.xtask(&["new-service", name]).unwrap_err();
        assert!(told.contains(complaint), "{name}: {told}");
    }
    assert_eq!(repository.read("dapr.yaml"), before);
}
