//! `cargo xtask parity`: runs one suite against daprlet and against the real Dapr and WasmEdge.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::real;
use crate::repository::{Repository, run};
use crate::steps::Steps;

/// Sends the same requests to daprlet and the real daprd, and fails on unintended differences
#[derive(Args, Default)]
#[command(after_help = "`cargo xtask setup --real` installs the requirements. DAPRD and WASMEDGE name other programs.")]
pub(crate) struct Parity {
    /// Run only cases whose name contains this text
    #[arg(long, default_value = "", value_name = "TEXT")]
    only: String,

    /// Number of random sequences of state operations, beyond the fixed ones
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    seeds: u64,

    /// File to which the table and the differences are also written
    #[arg(long, env = "PARITY_REPORT", value_name = "FILE")]
    report: Option<PathBuf>,

    /// True to build everything that `cargo xtask test` needs.
    #[arg(skip)]
    before_tests: bool,
}

impl Parity {
    /// Runs the suite before all tests. With fewer packages, dependencies would be built with fewer features, and then
    /// once more.
    pub(crate) fn before_tests() -> Self {
        Self { before_tests: true, ..Self::default() }
    }

    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let mut steps = Steps::new(3);
        let (daprd, wasmedges) = (real::daprd(repository)?, real::wasmedges()?);
        steps.begin("Building the services for WebAssembly");
        BuildWasm { components: true, ..BuildWasm::default() }.run(repository)?;
        steps.begin("Building daprlet and the suite");
        let few: &[&str] = &["--package", "daprlet", "--package", "parity"];
        let what = if self.before_tests { &["--workspace", "--all-targets"] } else { few };
        run(repository.cargo(&["build", "--locked"]).args(what))?;
        steps.begin("Running the suite");
        let mut parity = repository.command(repository.workspace()?.target_directory.join("debug/parity"));
        parity.env("WASM_DIR", repository.path(build_wasm::FOLDER)).arg("--daprd").arg(daprd);
        for wasmedge in wasmedges {
            parity.arg("--wasmedge").arg(wasmedge);
        }
        if let Some(wasmtime) = toolchains::wasmtime() {
            parity.arg("--wasmtime").arg(wasmtime);
        }
        if let Some(report) = &self.report {
            parity.arg("--report").arg(report);
        }
        run(parity.args(["--only", &self.only, "--seeds", &self.seeds.to_string()]))
    }
}
