//! Checks the GitHub workflows with actionlint.

use std::env;

use anyhow::{Result, bail};

use crate::go;
use crate::repository::{Repository, run};

/// Linter of workflows; `tools/actionlint` pins its version. It also calls shellcheck if installed.
pub(crate) const ACTIONLINT: &str = "actionlint";

/// Directory of the workflows.
const FOLDER: &str = ".github/workflows";

/// Checks every workflow.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let Some(mut actionlint) = go::tool(repository, ACTIONLINT) else {
        if env::var_os("CI").is_some() {
            bail!("Go is not installed, and on CI it must be: actionlint is a Go program");
        }
        eprintln!("DID NOT RUN: {FOLDER} is not checked, because actionlint needs Go (https://go.dev/dl)");
        return Ok(());
    };
    let files = repository.files()?;
    let workflows = files.iter().filter(|file| file.starts_with(FOLDER)).map(|file| repository.path(file));
    run(actionlint.args(workflows))
}
