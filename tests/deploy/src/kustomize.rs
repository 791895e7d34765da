//! Output of `kubectl apply -k`: kustomize itself, a Go program, pinned by `tools/kustomize/go.mod`.

use std::path::Path;
use std::process::Command;

use crate::{Manifest, repository};

/// Path of Go's own archive, which is not on the search path.
const GO: &str = "/usr/local/go/bin/go";

/// Builds a kustomization of the repository; `None` without Go to build kustomize.
///
/// # Panics
/// If kustomize fails, or Go is missing on CI.
pub fn build(inside: &str) -> Option<Vec<Manifest>> {
    let Some(go) = go() else {
        assert!(std::env::var_os("CI").is_none(), "Go is not installed, and on CI it must be");
        println!("DID NOT RUN: kustomize needs Go (https://go.dev/dl)");
        return None;
    };
    let mut command = Command::new(go);
    command.arg("-C").arg(repository("tools/kustomize")).args(["tool", "kustomize", "build"]).arg(repository(inside));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{inside}: {}", String::from_utf8_lossy(&output.stderr));
    Some(Manifest::parse(inside, &String::from_utf8(output.stdout).unwrap()))
}

fn go() -> Option<&'static str> {
    let works = |go: &&str| Command::new(go).arg("version").output().is_ok_and(|output| output.status.success());
    ["go", GO].into_iter().filter(|go| *go != GO || Path::new(GO).is_file()).find(works)
}
