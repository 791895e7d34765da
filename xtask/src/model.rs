//! `cargo xtask model`: published models, as folders for the classify service. A program of its own does it, so that whoever
//! needs none does not wait for what it is made of.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::repository::{Repository, run};

/// Makes a model directory: `get mobilenet-v2` downloads one, `import FILE.tflite` converts a file.
#[derive(Args)]
pub(crate) struct Model {
    /// `get NAME` or `import FILE`, and their options; `get --help` lists them.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Model {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        let mut cargo = repository.cargo(&["run", "--quiet", "--locked", "--package", "model-import", "--"]);
        run(cargo.args(&self.arguments))
    }
}
