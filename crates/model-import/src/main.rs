//! `cargo xtask model`: a published model as a folder for the classify service.

#![expect(clippy::print_stderr, reason = "a command tells people what it does")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use model_import::download::Source;
use model_import::{About, PUBLISHED, write};

/// Makes a model directory for the classify service.
#[derive(Parser)]
#[command(name = "cargo xtask model", bin_name = "cargo xtask model")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Downloads a published model and converts it. An interrupted download goes on where it stopped.
    Get(Get),
    /// Converts a TensorFlow Lite file.
    Import(Import),
}

#[derive(Args)]
struct Get {
    /// The model.
    #[arg(value_parser = PossibleValuesParser::new(PUBLISHED.iter().map(|model| model.name)))]
    name: String,

    /// The folder to write; by default `models/NAME`.
    #[arg(long)]
    to: Option<PathBuf>,
}

#[derive(Args)]
struct Import {
    /// The `.tflite` file.
    file: PathBuf,

    /// What the model is called; by default as the file is.
    #[arg(long)]
    name: Option<String>,

    /// Its licence.
    #[arg(long)]
    licence: Option<String>,

    /// A file with the names of its classes, one a line, where the model does not bring them.
    #[arg(long)]
    labels: Option<PathBuf>,

    /// The folder to write; by default `models/NAME`.
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
        let model = PUBLISHED.iter().find(|model| model.name == self.name).context("an unknown model")?;
        let folder = self.to.clone().unwrap_or_else(|| default_folder(model.name));
        // Beside the folder and not in it: the folder is written at once, when everything is here.
        let file = folder.with_extension("tflite");
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        let bar = ProgressBar::no_length();
        bar.set_style(ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes} {eta}")?);
        bar.set_message(model.name);
        let told = Source::new(model.url, model.sha256).fetch(&file, &|here, total| {
            bar.set_length(total.unwrap_or_default());
            bar.set_position(here);
        });
        bar.finish();
        told?;
        let about = About { name: model.name, licence: Some(model.licence), source: model.url, labels: None };
        let tflite = fs::read(&file).with_context(|| file.display().to_string())?;
        write(&tflite, &about, &folder)?;
        fs::remove_file(&file)?;
        done(&folder);
        Ok(())
    }
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
    // Paths in dapr.yaml start from the service's folder.
    let seen = Path::new("..").join(folder);
    eprintln!(
        "{} is a model now; `--dir model:{}` in dapr.yaml makes the classify service use it",
        folder.display(),
        seen.display()
    );
}
