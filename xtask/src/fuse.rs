//! `cargo xtask fuse`: a consumer and a provider of `wasi:keyvalue` become one file, which plain wasmtime runs.

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::real;
use crate::repository::{Repository, run};
use crate::steps::Steps;

/// The consumer.
const CONSUMER: &str = "keyvalue-demo.wasm";
/// What each fused file has beside the consumer: the provider, built by the toolchain; as a core module, of which `daprlet
/// compose` makes the component; and another one, with a state store behind it.
const PROVIDERS: [(&str, &[&str]); 3] = [
    ("keyvalue.wasm", &["keyvalue.wasm"]),
    ("keyvalue.core.wasm", &["keyvalue.core.wasm"]),
    ("keyvalue-on-state.wasm", &["keyvalue-on-state.wasm", "state-in-memory.wasm"]),
];

/// Builds `keyvalue-demo`, its provider in two ways and another provider on a state store, makes one component of each set,
/// shows what went in and what came out, and runs them with the program wasmtime.
#[derive(Args)]
#[command(after_help = "It needs wasmtime, which `cargo xtask setup --wasmtime` builds; WASMTIME names another one.")]
pub(crate) struct Fuse {}

impl Fuse {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let wasmtime = real::wasmtime()?;
        let mut steps = Steps::new(4);
        steps.begin("Building consumer and provider");
        BuildWasm { components: true, ..BuildWasm::default() }.run(repository)?;
        steps.begin("Building daprlet, which composes");
        run(&mut repository.cargo(&["build", "--locked", "--package", "daprlet"]))?;
        let daprlet = repository.workspace()?.target_directory.join("debug/daprlet");
        let components = repository.path(build_wasm::FOLDER).join("components");
        let fused = repository.path(build_wasm::FOLDER).join("fused");
        fs::create_dir_all(&fused).with_context(|| format!("cannot make {}", fused.display()))?;
        steps.begin("Composing");
        for (name, plugs) in PROVIDERS {
            let mut compose = repository.command(&daprlet);
            compose.arg("compose").arg(components.join(CONSUMER));
            for plug in plugs {
                compose.arg("--plug").arg(components.join(plug));
            }
            run(compose.arg("--output").arg(fused.join(name)))?;
        }
        steps.begin("Running what came out, with plain wasmtime");
        for (name, _) in PROVIDERS {
            run(repository.command(&wasmtime).arg("run").arg(fused.join(name)))?;
        }
        Ok(())
    }
}
