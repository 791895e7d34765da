//! `cargo xtask new-service`, run on a copy of this repository.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::request;
use tempfile::TempDir;

/// Files that are built, stored or tracked separately.
const NOT_COPIED: &[&str] = &["target", "wasm", "data", ".git"];

/// A copy of this repository.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new("..").canonicalize().unwrap(), folder.path());
        Self(folder)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    /// Runs a program in the copy, which shares registry builds with this repository.
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
fn new_service_passes_its_tests_and_responds_through_dapr() {
    let repository = Copy::new();
    repository.xtask(&["new-service", "note-keeper", "--subscribe", "notes"]).unwrap();
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
    let own_note = format!("http://127.0.0.1:{port}/note");
    assert_eq!(request("GET", &own_note).send().text(), "buy milk");

    let publish = format!("http://127.0.0.1:{dapr_port}/v1.0/publish/messages/notes");
    assert_eq!(request("POST", &publish).header("content-type", "text/plain").body("buy bread").send().status, 204);
    daprlet.until(|| (request("GET", &own_note).send().text() == "buy bread").then_some(()));
}

#[test]
fn outside_project_builds_and_responds() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("mine");
    let repository = Path::new("..").canonicalize().unwrap().display().to_string();
    let xtask = |name: &str| {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.args(["--root", &repository, "new-service", name, "--project"]).arg(&project);
        xtask.output().unwrap()
    };
    assert!(xtask("note-keeper").status.success());
    assert!(xtask("to-do").status.success());
    let again = xtask("to-do");
    assert!(String::from_utf8_lossy(&again.stderr).contains("already"), "{again:?}");

    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("..");
    let build = ["build", "--target", "wasm32-wasip1", "--profile", "wasm", "--offline"];
    let built = Command::new(env!("CARGO")).args(build).current_dir(&project).env("CARGO_TARGET_DIR", &target).output();
    let built = built.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::os::unix::fs::symlink(target, project.join("target")).unwrap();

    // The template's ports may be used by another test or program.
    let file = project.join("dapr.yaml");
    let mut template = fs::read_to_string(&file).unwrap();
    let ports = e2e::free_ports::<4>();
    for (written, port) in ["9000", "3500", "9001", "3501"].into_iter().zip(ports) {
        template = template.replace(&format!("Port: {written}\n"), &format!("Port: {port}\n"));
    }
    fs::write(&file, template).unwrap();
    let daprlet = e2e::daprlet(&project, &["run", "-f", "dapr.yaml"].map(str::to_owned));
    let note = format!("http://127.0.0.1:{}/v1.0/invoke/note-keeper/method/note", ports[3]);
    daprlet.until(|| (request("POST", &note).body("buy milk").send().status == 200).then_some(()));
    assert_eq!(request("GET", &format!("http://127.0.0.1:{}/note", ports[0])).send().text(), "buy milk");
}

#[test]
fn tree_checks_pass_with_a_new_service() {
    let repository = Copy::new();
    repository.xtask(&["new-service", "note-keeper"]).unwrap();
    repository.run(env!("CARGO"), &["test", "--package", "deploy-tests", "--locked", "--offline"]).unwrap();
}

#[test]
fn taken_or_malformed_name_changes_nothing() {
    let repository = Copy::new();
    let before = repository.read("dapr.yaml");
    for (name, complaint) in [("events-service", "already"), ("service-kit", "already"), ("Bad_Name", "lower-case")] {
        let told = repository.xtask(&["new-service", name]).unwrap_err();
        assert!(told.contains(complaint), "{name}: {told}");
    }
    assert_eq!(repository.read("dapr.yaml"), before);
}
