//! The model: a directory with the network, its labels and parameters, or the embedded one.

mod backend;
mod description;
mod files;
mod input;
mod loaded;
mod memory;
mod operators;
mod parameters;
mod signature;
#[cfg(feature = "wasi-nn")]
mod wasi_nn;

use std::path::PathBuf;
use std::time::Duration;

use image::DynamicImage;

use crate::classes::Class;

pub use backend::{Backend, Inference};
pub use description::Description;
pub use loaded::LoadedModel;
pub(crate) use loaded::milliseconds;
pub use memory::DEFAULT_MODEL_MEMORY;
pub(crate) use parameters::Output as OutputKind;

/// An image classifier.
pub trait Classifier: Send + Sync {
    /// Describes the model.
    fn description(&self) -> &Description;

    /// Returns all classes for an image, the likeliest first.
    ///
    /// # Errors
    /// If the model fails.
    fn classify(&self, picture: &DynamicImage) -> Result<Classified, ModelError>;
}

/// Classes of an image, and the time of each step.
#[derive(Debug)]
pub struct Classified {
    /// All classes, the likeliest first.
    pub classes: Vec<Class>,
    /// Time from the decoded image to the model's input.
    pub preprocessing: Duration,
    /// Time to run the model.
    pub inference: Duration,
}

/// Error of a model, worded for the operator of the service.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The directory has no model.
    #[error(
        "there is no model in `{}`: put model.onnx (or model.rten) and labels.txt there, one label a line, \
         or name another directory in MODEL_DIR",
        .0.display()
    )]
    Missing(PathBuf),
    /// The directory has no `labels.txt`.
    #[error("there is no labels.txt in `{}`: put the names of the model's classes there, one a line", .0.display())]
    WithoutLabels(PathBuf),
    /// A file of the model cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// `model.toml` is invalid.
    #[error("model.toml cannot be understood: {0}")]
    Parameters(String),
    /// The network's checksum differs from `model.toml`.
    #[error(
        "{file} has the SHA-256 {found}, and model.toml describes the one with {expected}: it is damaged, or another one"
    )]
    Checksum {
        /// Name of the network's file.
        file: &'static str,
        /// SHA-256 in `model.toml`.
        expected: String,
        /// SHA-256 of the file.
        found: String,
    },
    /// The network cannot be loaded.
    #[error("the model cannot be loaded: {0}")]
    Load(#[source] rten::LoadError),
    /// The network's input is not a single image.
    #[error("the model's input cannot be fed: {0}")]
    Input(String),
    /// The number of labels differs from the number of classes.
    #[error("labels.txt names {labels} classes, and the model tells {classes} apart")]
    Labels {
        /// Lines of `labels.txt`.
        labels: usize,
        /// Values in the network's output.
        classes: usize,
    },
    /// Memory is insufficient.
    #[error(
        "the model may need {needed} bytes of memory, and there are not as many within the limit of {limit} (MODEL_MEMORY_BYTES)"
    )]
    Memory {
        /// Bytes that loading or running the model may take.
        needed: u64,
        /// Limit in bytes.
        limit: u64,
    },
    /// Running the network failed.
    #[error("the model failed: {0}")]
    Run(String),
    /// The network's output is not a list of scores.
    #[error("the model's output cannot be understood: {0}")]
    Output(String),
}

#[cfg(test)]
mod tests;
