//! `daprlet compose`: fuses a consumer and its providers into one file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use compose::{Part, describe, fuse};

/// Composes a Wasm component and the providers of its imports into one component.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  daprlet compose keyvalue-demo.wasm --plug keyvalue.wasm --output fused.wasm
  wasmtime run fused.wasm

A provider may be a component, or a core module with wit-bindgen metadata, which is turned into a component. Imports of a
provider may be provided by the next one.")]
pub(crate) struct Compose {
    /// The component whose imports are provided.
    #[arg(value_name = "CONSUMER")]
    consumer: PathBuf,

    /// A provider of imports; may be given several times.
    #[arg(long, value_name = "PROVIDER", required = true)]
    plug: Vec<PathBuf>,

    /// The file for the composed component.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Composes the component, and prints the imports and exports of all parts.
pub(crate) fn run(arguments: &Compose) -> anyhow::Result<()> {
    let consumer = read(&arguments.consumer)?;
    let providers = arguments.plug.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let consumer = Part::new(display(&arguments.consumer), &consumer)?;
    let parts = arguments.plug.iter().zip(&providers).map(|(path, bytes)| Part::new(display(path), bytes));
    let providers = parts.collect::<Result<Vec<_>, _>>()?;
    for (path, part) in
        [&arguments.consumer].into_iter().chain(&arguments.plug).zip([&consumer].into_iter().chain(&providers))
    {
        print_part(path, part)?;
    }
    let fused = fuse(&consumer, &providers)?;
    print_part(&arguments.output, &fused)?;
    std::fs::write(&arguments.output, fused.bytes()).with_context(|| display(&arguments.output))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| display(path))
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

fn print_part(path: &Path, part: &Part<'_>) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{}: {}\n", path.display(), describe(part)?)?;
    Ok(())
}
