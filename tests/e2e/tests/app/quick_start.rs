//! The commands of README's quick start, run as they are written.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use e2e::{Deployment, Options, Ports};
use tempfile::TempDir;

/// First command of the block in README.
const FIRST: &str = "curl localhost:9007/init\n";

/// Returns README's block with the ports of a deployment.
fn commands(ports: &Ports) -> String {
    let readme = fs::read_to_string(e2e::repository().join("README.md")).unwrap();
    let block = readme.split("```sh\n").find(|block| block.starts_with(FIRST)).expect("the quick start is in README");
    let block = block.split("```").next().unwrap();
    let ports = [(9005, ports.grayscale), (9007, ports.events), (3503, ports.grayscale_dapr)];
    ports.iter().fold(block.to_owned(), |block, (documented, port)| {
        block.replace(&format!("localhost:{documented}/"), &format!("localhost:{port}/"))
    })
}

#[test]
fn quick_start_of_readme_works() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "curl is not installed, and on CI it must be");
        println!("DID NOT RUN: curl is not installed");
        return;
    }
    let deployment = Deployment::start(&Options::default());
    let folder = TempDir::new().unwrap();
    symlink(e2e::repository().join("docs"), folder.path().join("docs")).unwrap();
    // With these settings curl fails on an error status.
    fs::write(folder.path().join(".curlrc"), "fail\nsilent\nshow-error\n").unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-e", "-o", "pipefail", "-c", &commands(&deployment.ports)]);
    let ended = shell.current_dir(folder.path()).env("CURL_HOME", folder.path()).output().expect("bash starts");
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{}: {errors}", ended.status);
    let gray = fs::read(folder.path().join("gray.png")).unwrap();
    assert!(gray.starts_with(b"\x89PNG\r\n\x1a\n"), "gray.png is no PNG");
    // Two images: one to the service itself, one through Dapr. An event that was deferred arrives later.
    let events = || deployment.events("GET", "/events").send().json().as_array().map_or(0, Vec::len);
    deployment.daprlet.until(|| (events() == 2).then_some(()));
}
