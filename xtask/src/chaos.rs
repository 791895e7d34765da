//! `cargo xtask chaos`: random kills and faults under load, and a search for every acknowledged event.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::real;
use crate::repository::{Repository, run};
use crate::steps::Steps;

/// Disturbs the application under load, in daprlet and beside the real Dapr, and fails if an acknowledged event is lost or recorded
/// twice.
///
/// Processes and servers are killed at random. Under daprlet, on Linux, servers also stop answering, the clock is set an hour ahead and
/// back, and the disk is full, fails writes, or loses everything that was not synced.
#[derive(Args)]
#[command(after_help = "`cargo xtask setup --real` brings the real Dapr, WasmEdge, MariaDB and Redis.")]
pub(crate) struct Chaos {
    /// Length of the run; the round in progress is finished
    #[arg(long, default_value_t = 10)]
    minutes: u64,

    /// Seed of the order of faults; by default a random one, which is printed
    #[arg(long)]
    seed: Option<u64>,

    /// Leave out the real Dapr and WasmEdge
    #[arg(long)]
    only_daprlet: bool,
}

impl Chaos {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let mut steps = Steps::new(3);
        steps.begin("Building the services for WebAssembly");
        BuildWasm::default().run(repository)?;
        steps.begin("Building daprlet and the suite");
        run(&mut repository.cargo(&["build", "--locked", "--package", "daprlet", "--package", "parity"]))?;
        let seed = self.seed.unwrap_or_else(|| u64::from(std::process::id()));
        let faults = compile_faults(repository)?;
        steps.begin(&format!("Disturbing for {} minutes, seed {seed}", self.minutes));
        let mut parity = repository.command(repository.workspace()?.target_directory.join("debug/parity"));
        parity.env("WASM_DIR", repository.path(build_wasm::FOLDER));
        parity.args(["--chaos", &self.minutes.to_string(), "--seed", &seed.to_string()]);
        parity.envs(faults.map(|library| ("DAPRLET_FAULTS", library)));
        if self.only_daprlet {
            parity.arg("--only-daprlet");
        } else {
            parity.arg("--daprd").arg(real::daprd(repository)?);
            for wasmedge in real::wasmedges()?.into_iter().take(1) {
                parity.arg("--wasmedge").arg(wasmedge);
            }
        }
        run(&mut parity)
    }
}

/// Compiles the library that makes clocks and disks fail, where it can be loaded.
fn compile_faults(repository: &Repository) -> Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let library = repository.workspace()?.target_directory.join("libfaults.so");
    let mut cc = repository.command("cc");
    cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(repository.path("tests/deployments/faults/faults.c"));
    run(&mut cc)?;
    Ok(Some(library))
}
