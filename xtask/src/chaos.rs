//! `cargo xtask chaos`: kills processes at random under load, and checks for every acknowledged event.

use anyhow::Result;
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::real;
use crate::repository::{Repository, run};
use crate::steps::Steps;

/// Kills processes of the application at random under load, in daprlet and beside the real Dapr, and fails if an
/// acknowledged event is lost or recorded twice
#[derive(Args)]
#[command(after_help = "`cargo xtask setup --real` brings the real Dapr, WasmEdge, MariaDB and Redis.")]
pub(crate) struct Chaos {
    /// Duration of the run; the current round is finished
    #[arg(long, default_value_t = 10)]
    minutes: u64,

    /// Seed of the order of kills; random by default, and printed
    #[arg(long)]
    seed: Option<u64>,

    /// Kill only daprlet's processes, which needs neither the real Dapr nor WasmEdge
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
        steps.begin(&format!("Killing for {} minutes, seed {seed}", self.minutes));
        let mut parity = repository.command(repository.workspace()?.target_directory.join("debug/parity"));
        parity.env("WASM_DIR", repository.path(build_wasm::FOLDER));
        parity.args(["--chaos", &self.minutes.to_string(), "--seed", &seed.to_string()]);
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
