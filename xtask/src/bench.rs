//! `cargo xtask bench`: the figures that the project must meet.

use anyhow::{Context as _, Result};
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::real;
use crate::repository::{Repository, run};
use crate::steps::Steps;

/// Measures the release build of daprlet, and prints a table with ratios
#[derive(Args)]
#[command(after_help = "WASMEDGE names a WasmEdge to compare with; the default is the one on the path, if any. DAPRD \
                  names a real daprd, TESTDATA_DIR a directory with MobileNet V2, and PYTHON a Python with ONNX Runtime.")]
pub(crate) struct Bench {
    /// Duration of each load, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,

    /// Measure daprlet beside the real Dapr and WasmEdge instead, and write BENCHMARKS.md; `cargo xtask setup --real`
    /// installs what is needed
    #[arg(long)]
    real: bool,
}

impl Bench {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let mut steps = Steps::new(3);
        steps.begin("Building the services and the test programs for WebAssembly");
        // Inference is measured if TESTDATA_DIR has a model.
        let wasi_nn = std::env::var_os("TESTDATA_DIR").is_some();
        BuildWasm { fixtures: true, components: true, wasi_nn, ..BuildWasm::default() }.run(repository)?;
        steps.begin("Building daprlet and the benchmark with all optimisations");
        run(&mut repository.cargo(&["build", "--locked", "--release", "--package", "daprlet", "--package", "bench"]))?;
        steps.begin("Measuring; do not use the machine until it ends");
        let program = repository.workspace()?.target_directory.join("release/bench");
        let mut bench = repository.command(program);
        bench.args(["--seconds", &self.seconds.to_string()]);
        bench.env("WASM_DIR", repository.path(build_wasm::FOLDER));
        if self.real {
            bench.arg("real").arg("--daprd").arg(real::daprd(repository)?);
            let wasmedge = real::wasmedges()?.into_iter().next().context("no WasmEdge")?;
            bench.arg("--wasmedge").arg(wasmedge).arg("--report").arg(repository.path("BENCHMARKS.md"));
        }
        run(&mut bench)
    }
}
