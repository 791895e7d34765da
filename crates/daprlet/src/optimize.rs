//! `daprlet optimize`: rewrites a module or component before it is deployed.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::exit::UsageError;

/// Rewrites a module or component so that its compiled code is faster.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  daprlet optimize service.wasm --output service.wasm

It unrolls small loops and splits loads that fill a vector. A file with debug information, source
maps, exceptions or garbage collection is copied unchanged, and the reason is printed. `daprlet run`
itself changes no module.")]
pub(crate) struct Optimize {
    /// The module or component, in the binary format.
    #[arg(value_name = "FILE")]
    input: PathBuf,

    /// The file for the result; may be the same file, which is replaced at once.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Optimizes the file, and prints the changes and both sizes.
pub(crate) fn run(arguments: &Optimize) -> anyhow::Result<()> {
    let (input, output) = (&arguments.input, &arguments.output);
    let wasm = fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
    let optimized = wasm_optimizer::optimize(&wasm);
    let optimized = optimized.map_err(|error| UsageError(format!("{}: {error}", input.display())))?;
    replace(output, &optimized.wasm).with_context(|| format!("cannot write {}", output.display()))?;
    let (before, after) = (wasm.len(), optimized.wasm.len());
    writeln!(io::stdout().lock(), "{}: {before} -> {after} bytes; {}", output.display(), optimized.outcome)?;
    Ok(())
}

/// Writes a file atomically: an error or a reader at the same time leaves the old content or the new.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}.part", std::process::id()));
    let written = fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The empty module.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn optimize(input: PathBuf, output: PathBuf) -> Result<(), String> {
        run(&Optimize { input, output }).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn output_may_be_the_input() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.wasm");
        fs::write(&file, MODULE).unwrap();
        optimize(file.clone(), file.clone()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), MODULE);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn invalid_input_is_a_usage_error_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.wasm");
        fs::write(&file, "text").unwrap();
        let error = run(&Optimize { input: file.clone(), output: file.clone() }).unwrap_err();
        assert!(error.is::<UsageError>() && error.to_string().contains("a.wasm: not valid"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"text");
    }

    #[test]
    fn failed_write_names_the_file_and_leaves_none() {
        let directory = tempfile::tempdir().unwrap();
        let (input, taken) = (directory.path().join("a.wasm"), directory.path().join("taken"));
        fs::write(&input, MODULE).unwrap();
        fs::create_dir(&taken).unwrap();
        let error = optimize(input, taken.clone()).unwrap_err();
        assert!(error.starts_with(&format!("cannot write {}: ", taken.display())), "{error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
