//! `cargo xtask ci`: everything that a change has to pass, in the order in which mistakes show soonest.

mod dependencies;
mod tidy;

use anyhow::{Result, ensure};

use crate::build_wasm::{FIXTURES, TARGET, install_target};
use crate::repository::{self, Repository, TEMPLATE};
use crate::setup::is_installed;
use crate::steps::Steps;
use crate::test::Test;

/// The smallest daprlet that runs a service: one state store, one secret store.
const MINIMAL: &str = "state-in-memory,secretstores-local-file";

/// One step.
struct Check {
    what: &'static str,
    run: fn(&Repository) -> Result<()>,
}

const CHECKS: &[Check] = &[
    Check { what: "Formatting", run: |it| repository::run(&mut it.cargo(&["fmt", "--all", "--check"])) },
    Check { what: "Tidiness of the tree", run: tidy::check },
    Check { what: "Who depends on whom", run: dependencies::check },
    Check { what: "Licences, bans and sources of dependencies", run: deny },
    Check { what: "Lints", run: |it| lint(it, &["--workspace", "--all-targets"]) },
    Check { what: "Lints of what runs as WebAssembly", run: lint_guests },
    Check { what: "Documentation", run: document },
    Check { what: "The smallest daprlet", run: check_minimal },
    Check { what: "Tests", run: |it| Test::default().run(it) },
];

pub(crate) fn run(repository: &Repository) -> Result<()> {
    let mut steps = Steps::new(CHECKS.len());
    for check in CHECKS {
        steps.begin(check.what);
        (check.run)(repository)?;
    }
    Ok(())
}

fn deny(repository: &Repository) -> Result<()> {
    ensure!(is_installed("cargo-deny"), "cargo-deny is not installed; `cargo xtask setup --ci` installs it");
    // Advisories need a network and change without us; the workflow checks them.
    repository::run(&mut repository.cargo(&["deny", "--locked", "check", "bans", "licenses", "sources"]))
}

fn lint(repository: &Repository, what: &[&str]) -> Result<()> {
    // As an argument and not through RUSTFLAGS, which would replace the flags in .cargo/config.toml.
    repository::run(repository.cargo(&["clippy", "--locked"]).args(what).args(["--", "--deny", "warnings"]))
}

fn lint_guests(repository: &Repository) -> Result<()> {
    install_target(repository)?;
    let workspace = repository.workspace()?;
    let mut what = vec!["--target", TARGET, "--package", TEMPLATE, "--package", FIXTURES];
    what.extend(workspace.services().flat_map(|service| ["--package", service.name.as_str()]));
    lint(repository, &what)
}

fn document(repository: &Repository) -> Result<()> {
    let mut cargo = repository.cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    repository::run(cargo.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn check_minimal(repository: &Repository) -> Result<()> {
    let minimal = ["--no-default-features", "--features", MINIMAL];
    repository::run(repository.cargo(&["check", "--locked", "--package", "daprlet"]).args(minimal))
}
