//! Programs written in Go, each pinned by a small module in `tools/`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::ci::workflows::ACTIONLINT;
use crate::repository::{Repository, output};

/// The linter of workflows, and the manifest builder of the tests of deploy/.
const TOOLS: &[&str] = &[ACTIONLINT, "kustomize"];

/// Path of Go's own archive, which is not on the search path.
const GO: &str = "/usr/local/go/bin/go";

/// Returns the Go command, if Go is installed.
pub(crate) fn command(repository: &Repository) -> Option<Command> {
    let go = if crate::setup::is_installed("go") { "go" } else { GO };
    (go != GO || Path::new(GO).is_file()).then(|| repository.command(go))
}

/// Returns the program of the module `tools/NAME`, if Go is installed.
///
/// It runs in that directory; Go builds it on first use and caches it.
pub(crate) fn tool(repository: &Repository, name: &str) -> Option<Command> {
    start(repository, name, &["tool", name])
}

/// Builds the programs of checks and tests, if Go is installed.
pub(crate) fn build_tools(repository: &Repository) -> Result<()> {
    for name in TOOLS {
        // With -n, Go only prints the command, and builds the program for that.
        if let Some(mut go) = start(repository, name, &["tool", "-n", name]) {
            output(&mut go)?;
        }
    }
    Ok(())
}

fn start(repository: &Repository, name: &str, arguments: &[&str]) -> Option<Command> {
    let mut command = command(repository)?;
    command.arg("-C").arg(Path::new("tools").join(name)).args(arguments);
    Some(command)
}
