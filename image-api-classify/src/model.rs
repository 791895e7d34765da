//! The model: a directory with the network, the names of its classes, and how to feed it; or the one that is part of the
//! service.

mod description;
mod files;
mod input;
mod loaded;
mod memory;
mod network;
mod operators;
mod parameters;
mod signature;
#[cfg(feature = "wasi-nn")]
mod wasi_nn;

use std::path::PathBuf;
use std::time::Duration;

use image::DynamicImage;

use crate::classes::Class;

pub use description::Description;
pub use loaded::LoadedModel;
pub(crate) use loaded::milliseconds;
pub use memory::DEFAULT_MODEL_MEMORY;
pub use network::{By, Computes};
pub(crate) use parameters::Output as OutputKind;

/// Says what a picture shows.
pub trait Classifier: Send + Sync {
    /// What is asked.
    fn description(&self) -> &Description;

    /// All classes, the likeliest first.
    ///
    /// # Errors
    /// When the model fails.
    fn classify(&self, picture: &DynamicImage) -> Result<Classified, ModelError>;
}

/// What a picture shows, and how long it took to find out.
#[derive(Debug)]
pub struct Classified {
    /// All classes, the likeliest first.
    pub classes: Vec<Class>,
    /// From the picture to the network's input.
    pub preprocessing: Duration,
    /// From the network's input to its output.
    pub inference: Duration,
}

/// Why there is no answer; the words are for whoever runs the service.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The directory has no model.
    #[error(
        "there is no model in `{}`: put model.onnx (or model.rten) and labels.txt there, one label a line, \
         or name another directory in MODEL_DIR",
        .0.display()
    )]
    Missing(PathBuf),
    /// The directory does not say what the classes are called.
    #[error("there is no labels.txt in `{}`: put the names of the model's classes there, one a line", .0.display())]
    WithoutLabels(PathBuf),
    /// A file of the model cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// `model.toml` is malformed.
    #[error("model.toml cannot be understood: {0}")]
    Parameters(String),
    /// The network is another one than `model.toml` describes.
    #[error(
        "{file} has the SHA-256 {found}, and model.toml describes the one with {expected}: it is damaged, or another one"
    )]
    Checksum {
        /// The network's file.
        file: &'static str,
        /// What `model.toml` says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The network cannot be loaded.
    #[error("the model cannot be loaded: {0}")]
    Load(#[source] rten::LoadError),
    /// The network wants something else than one picture.
    #[error("the model's input cannot be fed: {0}")]
    Input(String),
    /// There are more or fewer names than classes.
    #[error("labels.txt names {labels} classes, and the model tells {classes} apart")]
    Labels {
        /// The lines of `labels.txt`.
        labels: usize,
        /// The numbers of the network's output.
        classes: usize,
    },
    /// There is not enough memory.
    #[error(
        "the model may need {needed} bytes of memory, and there are not as many within the limit of {limit} (MODEL_MEMORY_BYTES)"
    )]
    Memory {
        /// What loading or running it may take.
        needed: u64,
        /// What it may take at most.
        limit: u64,
    },
    /// The network failed.
    #[error("the model failed: {0}")]
    Run(String),
    /// The network's output is not a list of scores.
    #[error("the model's output cannot be understood: {0}")]
    Output(String),
}

#[cfg(test)]
mod tests;
