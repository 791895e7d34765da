//! `cargo xtask model`: directories with published models for the classify service.
//!
//! A separate program does this, so that its dependencies are only built when needed.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::repository::{Repository, run};

/// Creates a model directory: `get mobilenet-v2` downloads a model, `import FILE.tflite` converts a file
#[derive(Args)]
pub(crate) struct Model {
    /// `get NAME` or `import FILE`, and their options; `get --help` lists them
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Model {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let mut cargo = repository.cargo(&["run", "--quiet", "--locked", "--package", "model-import", "--"]);
        run(cargo.args(&self.arguments))
    }
}
