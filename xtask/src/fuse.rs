//! `cargo xtask fuse`: composes a consumer and a provider of `wasi:keyvalue` into one file, which plain wasmtime runs.

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::build_wasm::{self, BuildWasm};
use crate::real;
use crate::repository::{Repository, run};
use crate::steps::Steps;

/// The consumer.
const CONSUMER: &str = "keyvalue-demo.wasm";
/// Output files, and the components composed with the consumer.
///
/// These are the provider as built by the toolchain; the provider as a core module, which `daprlet compose` turns into
/// a component; and another provider on a state store.
const PROVIDERS: [(&str, &[&str]); 3] = [
    ("keyvalue.wasm", &["keyvalue.wasm"]),
    ("keyvalue.core.wasm", &["keyvalue.core.wasm"]),
    ("keyvalue-on-state.wasm", &["keyvalue-on-state.wasm", "state-in-memory.wasm"]),
];

/// Builds `keyvalue-demo`, its provider in two ways and another provider on a state store; composes each set, shows
/// inputs and outputs, and runs the results with wasmtime
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
        steps.begin("Running the results with plain wasmtime");
        for (name, _) in PROVIDERS {
            run(repository.command(&wasmtime).arg("run").arg(fused.join(name)))?;
        }
        Ok(())
    }
}
