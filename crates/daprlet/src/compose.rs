//! `daprlet compose`: one file of a consumer and its providers.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use fuse::{Part, describe, fuse};

/// Makes one Wasm component of a consumer and what provides its imports.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  daprlet compose keyvalue-demo.wasm --plug keyvalue.wasm --output fused.wasm
  wasmtime run fused.wasm

A provider may be a component, or a core module that wit-bindgen has described, of which a component is made. What a provider
imports itself, the next one may provide.")]
pub(crate) struct Compose {
    /// The component whose imports are provided.
    #[arg(value_name = "CONSUMER")]
    consumer: PathBuf,

    /// What provides them; may be given several times.
    #[arg(long, value_name = "PROVIDER", required = true)]
    plug: Vec<PathBuf>,

    /// Where the fused component goes.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Composes, and shows what went in and what came out.
pub(crate) fn run(arguments: &Compose) -> anyhow::Result<()> {
    let consumer = read(&arguments.consumer)?;
    let providers = arguments.plug.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let consumer = Part::new(shown(&arguments.consumer), &consumer)?;
    let parts = arguments.plug.iter().zip(&providers).map(|(path, bytes)| Part::new(shown(path), bytes));
    let providers = parts.collect::<Result<Vec<_>, _>>()?;
    for (path, part) in
        [&arguments.consumer].into_iter().chain(&arguments.plug).zip([&consumer].into_iter().chain(&providers))
    {
        tell(path, part)?;
    }
    let fused = fuse(&consumer, &providers)?;
    tell(&arguments.output, &fused)?;
    std::fs::write(&arguments.output, fused.bytes()).with_context(|| shown(&arguments.output))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| shown(path))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn tell(path: &Path, part: &Part<'_>) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{}: {}\n", path.display(), describe(part)?)?;
    Ok(())
}
