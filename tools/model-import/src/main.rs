//! `cargo xtask model`: creates a directory with a published model for the classify service.

#![expect(clippy::print_stderr, reason = "a command tells people what it does")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use model_import::{About, Fetch, PUBLISHED, Published, write};

/// Creates a model directory for the classify service
#[derive(Parser)]
#[command(name = "cargo xtask model", bin_name = "cargo xtask model")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Downloads and converts a published model; resumes an interrupted download
    ///
    /// Without a name, it is the first one that can be reached.
    Get(Get),
    /// Converts a TensorFlow Lite file
    Import(Import),
}

#[derive(Args)]
struct Get {
    /// Name of the model; by default the first that can be reached
    #[arg(value_parser = PossibleValuesParser::new(PUBLISHED.iter().map(|model| model.name)))]
    name: Option<String>,

    /// Directory to write; by default `models/NAME`
    #[arg(long, requires = "name")]
    to: Option<PathBuf>,

    /// Succeed if no model can be reached, with a one-line message
    #[arg(long, conflicts_with = "name")]
    optional: bool,
}

#[derive(Args)]
struct Import {
    /// Path of the `.tflite` file
    file: PathBuf,

    /// Name of the model; by default the file's name
    #[arg(long)]
    name: Option<String>,

    /// Licence of the model
    #[arg(long)]
    licence: Option<String>,

    /// File with the class names, one a line, if the model does not contain them
    #[arg(long)]
    labels: Option<PathBuf>,

    /// Directory to write; by default `models/NAME`
    #[arg(long)]
    to: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Get(get) => get.run(),
        Command::Import(import) => import.run(),
    };
    if let Err(error) = done {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

impl Get {
    fn run(&self) -> Result<()> {
        match &self.name {
            Some(name) => {
                let model = PUBLISHED.iter().find(|model| model.name == *name).context("an unknown model")?;
                let folder = self.to.clone().unwrap_or_else(|| default_folder(model.name));
                download(model, &folder, false)
            }
            None => match first_reachable() {
                Err(error) if self.optional => {
                    eprintln!(
                        "No published model can be downloaded now, so classify answers with the small one, which knows ten \
                         things; `cargo xtask model get` tries again ({error:#})"
                    );
                    Ok(())
                }
                result => result,
            },
        }
    }
}

/// Downloads the first model whose server can be reached.
fn first_reachable() -> Result<()> {
    let mut reasons = Vec::new();
    for model in PUBLISHED {
        match download(model, &default_folder(model.name), true) {
            Ok(()) => {
                if !reasons.is_empty() {
                    eprintln!("It is used in the place of {}", reasons.join("; "));
                }
                return Ok(());
            }
            Err(error) => reasons.push(format!("{}: {}", model.name, brief(&format!("{error:#}")))),
        }
    }
    bail!("{}", reasons.join("; "))
}

/// Longest reason in a line with several, in characters.
const MAX_REASON: usize = 100;

/// Shortens a reason, and removes the URL that it begins with.
fn brief(reason: &str) -> String {
    let reason = reason.split_once(": ").filter(|(start, _)| start.contains("://")).map_or(reason, |(_, rest)| rest);
    let short: String = reason.chars().take(MAX_REASON).collect();
    if short.len() < reason.len() { short + " …" } else { short }
}

fn download(model: &Published, folder: &Path, fail_fast: bool) -> Result<()> {
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes} {eta}")?);
    bar.set_message(model.name);
    let progress = |here, total: Option<u64>| {
        bar.set_length(total.unwrap_or_default());
        bar.set_position(here);
    };
    let got = model.get(folder, &Fetch { variable: &|name| std::env::var_os(name), fail_fast, progress: &progress });
    bar.finish_and_clear();
    got?;
    done(folder);
    Ok(())
}

impl Import {
    fn run(&self) -> Result<()> {
        let tflite = fs::read(&self.file).with_context(|| self.file.display().to_string())?;
        let file_name = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let name = self.name.as_deref().unwrap_or(&file_name);
        let labels =
            self.labels.as_ref().map(|path| fs::read_to_string(path).with_context(|| path.display().to_string()));
        let source = self.file.file_name().unwrap_or_default().to_string_lossy();
        let about = About { name, licence: self.licence.as_deref(), source: &source, labels: labels.transpose()? };
        let folder = self.to.clone().unwrap_or_else(|| default_folder(name));
        write(&tflite, &about, &folder)?;
        done(&folder);
        Ok(())
    }
}

fn default_folder(name: &str) -> PathBuf {
    Path::new("models").join(name)
}

fn done(folder: &Path) {
    eprintln!("{} is a model now; the classify service uses it from its next start on", folder.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_brief_and_without_address() {
        assert_eq!(brief("https://a.example/b: io: refused"), "io: refused");
        assert_eq!(brief("the weights cannot be read: why"), "the weights cannot be read: why");
        assert_eq!(brief(&"é".repeat(300)).chars().count(), MAX_REASON + 2);
    }
}
