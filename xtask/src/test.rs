//! `cargo xtask test`: the one way in which tests are run, by people and by CI.

use std::env;

use anyhow::{Result, bail};
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::repository::{Repository, run};
use crate::setup::{TEST_PROGRAMS, TestProgram, is_installed};
use crate::steps::Steps;

/// The folder with real pictures and models, which the project does without.
const TESTDATA_DIR: &str = "TESTDATA_DIR";

/// Runs all tests: says what they need, builds the services and the test programs for WebAssembly, then
/// `cargo test --workspace --locked`.
#[derive(Args, Default)]
#[command(
    after_help = "It needs rustup and a C compiler. Tests on real servers and in a real browser run where those \
are installed (`cargo xtask setup --test-servers`), and with CI=true they have to be. TESTDATA_DIR turns the suite of \
real pictures on: a folder with images/ and models/."
)]
pub(crate) struct Test {
    /// More arguments of `cargo test`.
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
        let state = if is_installed(name) { "found" } else { "NOT FOUND, these tests will say that they did not run" };
        eprintln!("  {what:<34} {name}: {state}");
    }
    match env::var_os(TESTDATA_DIR) {
        // Tests run in the folders of their crates, where a relative path would lead elsewhere.
        Some(folder) if !std::path::Path::new(&folder).is_absolute() => {
            bail!("{TESTDATA_DIR} has to be an absolute path")
        }
        Some(folder) => eprintln!("  {:<34} on: {TESTDATA_DIR}={}", "the suite of real pictures", folder.display()),
        None => eprintln!("  {:<34} off: {TESTDATA_DIR} is not set", "the suite of real pictures"),
    }
    Ok(())
}
