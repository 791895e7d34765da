//! Programs that are written in Go, each pinned by a small module of ours in `tools/`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::ci::workflows::ACTIONLINT;
use crate::repository::{Repository, output};

/// The linter of workflows, and what the tests of deploy/ build manifests with.
const TOOLS: &[&str] = &[ACTIONLINT, "kustomize"];

/// Where Go's own archive goes, which puts nothing on anybody's search path.
const GO: &str = "/usr/local/go/bin/go";

/// Go itself, where it is installed.
pub(crate) fn command(repository: &Repository) -> Option<Command> {
    let go = if crate::setup::is_installed("go") { "go" } else { GO };
    (go != GO || Path::new(GO).is_file()).then(|| repository.command(go))
}

/// The program of the module `tools/NAME`, where there is Go. It starts in that folder, and Go builds it when it is first
/// used and keeps it.
pub(crate) fn tool(repository: &Repository, name: &str) -> Option<Command> {
    start(repository, name, &["tool", name])
}

/// Builds the programs that checks and tests use, where there is Go.
pub(crate) fn build_tools(repository: &Repository) -> Result<()> {
    for name in TOOLS {
        // With -n, Go only says what it would start, and builds it to know that.
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
