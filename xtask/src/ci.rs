//! `cargo xtask ci`: all checks of a change, the fastest to fail first.

mod dependencies;
mod package;
mod tidy;
mod words;
pub(crate) mod workflows;

use anyhow::{Result, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::build_wasm::{self, COMPONENT_TARGET, FIXTURES, NN, TARGET, install_target};
use crate::parity::Parity;
use crate::repository::{Repository, TEMPLATE, run};
use crate::setup::is_installed;
use crate::steps::Steps;
use crate::test::Test;

/// Features of the smallest daprlet that runs a service: one state store, one secret store.
const MINIMAL: &str = "state-in-memory,secretstores-local-file";

/// Runs all checks of a change: lints, checks of the tree, and all tests
#[derive(Args)]
pub(crate) struct Ci {
    /// Run only these checks
    #[arg(value_name = "CHECK", value_parser = PossibleValuesParser::new(CHECKS.iter().map(|check| check.name)))]
    only: Vec<String>,
}

struct Check {
    name: &'static str,
    what: &'static str,
    run: fn(&Repository) -> Result<()>,
}

const CHECKS: &[Check] = &[
    Check { name: "format", what: "Formatting", run: format },
    Check { name: "tidy", what: "Tidiness of the tree", run: tidy::check },
    Check { name: "links", what: "Links of the documentation", run: crate::book::check_links },
    Check { name: "commands", what: "Commands in the documentation", run: crate::book::commands::check },
    Check { name: "dependencies", what: "Dependencies between crates", run: dependencies::check },
    Check { name: "package", what: "Packages of the public crates", run: package::check },
    Check { name: "workflows", what: "GitHub workflows", run: workflows::check },
    Check { name: "deny", what: "Licences, bans and sources of dependencies", run: deny },
    Check { name: "lint", what: "Lints", run: lint },
    Check { name: "lint-wasm", what: "Lints of WebAssembly code", run: lint_wasm },
    Check { name: "doc", what: "Documentation", run: document },
    Check { name: "minimal", what: "The smallest daprlet", run: check_minimal },
    Check { name: "parity", what: "Parity with the real Dapr and WasmEdge", run: check_parity },
    Check { name: "test", what: "Tests", run: |repository| Test::default().run(repository) },
];

impl Ci {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let is_chosen = |check: &&Check| self.only.is_empty() || self.only.iter().any(|name| name == check.name);
        let chosen: Vec<&Check> = CHECKS.iter().filter(is_chosen).collect();
        let mut steps = Steps::new(chosen.len());
        for check in chosen {
            steps.begin(check.what);
            (check.run)(repository)?;
        }
        Ok(())
    }
}

fn format(repository: &Repository) -> Result<()> {
    run(&mut repository.cargo(&["fmt", "--all", "--check"]))
}

fn deny(repository: &Repository) -> Result<()> {
    ensure!(is_installed("cargo-deny"), "cargo-deny is not installed; `cargo xtask setup --ci` installs it");
    // Advisories need a network and change without us; the workflow checks them.
    run(&mut repository.cargo(&["deny", "--locked", "check", "bans", "licenses", "sources"]))
}

fn lint(repository: &Repository) -> Result<()> {
    clippy(repository, &["--workspace", "--all-targets"])
}

fn lint_wasm(repository: &Repository) -> Result<()> {
    install_target(repository, TARGET)?;
    let workspace = repository.workspace()?;
    let mut services: Vec<&str> =
        workspace.services().flat_map(|service| ["--package", service.name.as_str()]).collect();
    // Without this, these services would only be linted natively.
    let with_nn: Vec<String> = build_wasm::with_nn(&workspace).map(|it| format!("{}/{NN}", it.name)).collect();
    services.extend(with_nn.iter().flat_map(|feature| ["--features", feature]));
    let mut what = vec!["--target", TARGET, "--package", TEMPLATE, "--package", FIXTURES];
    what.extend(&services);
    clippy(repository, &what)?;
    install_target(repository, COMPONENT_TARGET)?;
    let mut what = vec!["--target", COMPONENT_TARGET, "--package", TEMPLATE];
    what.extend(&services);
    what.extend(workspace.components().flat_map(|component| ["--package", component.name.as_str()]));
    clippy(repository, &what)
}

fn clippy(repository: &Repository, what: &[&str]) -> Result<()> {
    // As an argument, because RUSTFLAGS would replace the flags in .cargo/config.toml.
    run(repository.cargo(&["clippy", "--locked"]).args(what).args(["--", "--deny", "warnings"]))
}

fn document(repository: &Repository) -> Result<()> {
    let mut cargo = repository.cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    run(cargo.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn check_parity(repository: &Repository) -> Result<()> {
    Parity::before_tests().run(repository)
}

fn check_minimal(repository: &Repository) -> Result<()> {
    let minimal = ["--no-default-features", "--features", MINIMAL];
    run(repository.cargo(&["check", "--locked", "--package", "daprlet"]).args(minimal))
}
