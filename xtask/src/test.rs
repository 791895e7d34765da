//! `cargo xtask test`: runs the tests, the same way for developers and CI.

use std::env;

use anyhow::{Result, bail};
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::repository::{Repository, run};
use crate::setup::{TEST_PROGRAMS, TestProgram, is_installed};
use crate::steps::Steps;

/// Variable with the directory of real images and models, which the project does not need.
const TESTDATA_DIR: &str = "TESTDATA_DIR";

/// Runs all tests: prints requirements, builds the services and the test programs for WebAssembly, then runs
/// `cargo test --workspace --locked`
#[derive(Args, Default)]
#[command(after_help = "Requires rustup and a C compiler. Tests on real servers and in a real browser run if those \
are installed (`cargo xtask setup --test-servers`), and are required with CI=true. TESTDATA_DIR enables the suite of \
real images: a directory with images/ and models/.")]
pub(crate) struct Test {
    /// Additional arguments of `cargo test`
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let mut steps = Steps::new(3);
        tell_what_runs()?;
        steps.begin("Building the services and the test programs for WebAssembly");
        BuildWasm { fixtures: true, components: true, wasi_nn: true, ..BuildWasm::default() }.run(repository)?;
        steps.begin("Building the tests");
        run(&mut repository.cargo(&["test", "--workspace", "--locked", "--no-run", "--quiet"]))?;
        steps.begin("Running the tests");
        let mut tests = repository.cargo(&["test", "--workspace", "--locked"]);
        run(tests.args(&self.arguments).env("WASM_DIR", repository.path(build_wasm::FOLDER)))
    }
}

fn tell_what_runs() -> Result<()> {
    eprintln!("cargo xtask test: every test of the workspace, in memory, over loopback and in a browser");
    for TestProgram { name, what, .. } in TEST_PROGRAMS {
        let state = if is_installed(name) { "found" } else { "NOT FOUND, these tests report that they did not run" };
        eprintln!("  {what:<34} {name}: {state}");
    }
    match env::var_os(TESTDATA_DIR) {
        // Tests run in the directories of their crates, where a relative path would be wrong.
        Some(folder) if !std::path::Path::new(&folder).is_absolute() => {
            bail!("{TESTDATA_DIR} has to be an absolute path")
        }
        Some(folder) => eprintln!("  {:<34} on: {TESTDATA_DIR}={}", "suite of real images", folder.display()),
        None => eprintln!("  {:<34} off: {TESTDATA_DIR} is not set", "suite of real images"),
    }
    Ok(())
}
