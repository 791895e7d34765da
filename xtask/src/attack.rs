//! `cargo xtask attack`: hostile guests, clients, images and statements, and a table of what they do to others.

use anyhow::Result;
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::repository::{Repository, run};
use crate::steps::Steps;

/// Attacks daprlet as it is released in many ways, and fails where one of them harms another app or the process.
#[derive(Args)]
#[command(
    after_help = "For each attack the table shows the rate and the 99th percentile of a neighbour's `GET /`, the memory that \
                        the process took at its peak and kept, and the time from SIGINT to its end."
)]
pub(crate) struct Attack {
    /// Only attacks whose name contains this.
    #[arg(default_value = "")]
    only: String,

    /// The length of each attack, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

impl Attack {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let mut steps = Steps::new(3);
        steps.begin("Building the services and the hostile guests for WebAssembly");
        BuildWasm { fixtures: true, components: true, ..BuildWasm::default() }.run(repository)?;
        steps.begin("Building daprlet and the attacks with all optimisations");
        run(&mut repository.cargo(&["build", "--locked", "--release", "--package", "daprlet", "--package", "attack"]))?;
        steps.begin("Attacking; leave the machine alone meanwhile");
        let program = repository.workspace()?.target_directory.join("release/attack");
        let mut attack = repository.command(program);
        attack.args([&self.only, "--seconds", &self.seconds.to_string()]);
        attack.env("WASM_DIR", repository.path(build_wasm::FOLDER));
        run(&mut attack)
    }
}
