//! Programs that are written in Go, each pinned by a small module of ours in `tools/`.

use std::path::Path;
use std::process::Command;

use crate::repository::Repository;

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
    let mut command = command(repository)?;
    command.arg("-C").arg(Path::new("tools").join(name)).args(["tool", name]);
    Some(command)
}
