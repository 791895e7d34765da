//! Makes a model directory, as the classify service reads it, of a published model: downloads it where needed, and turns
//! TensorFlow Lite into ONNX.

mod directory;
pub mod download;
mod flat;
mod graph;
mod labels;
mod operators;
mod tflite;

pub use directory::{About, ImportError, write};

/// A model that can be had by its name.
pub struct Published {
    /// Its name.
    pub name: &'static str,
    /// Where it is: one commit of one repository, so that it stays what it is.
    pub url: &'static str,
    /// The SHA-256 of what is there.
    pub sha256: &'static str,
    /// Its licence.
    pub licence: &'static str,
}

/// The models that can be had by their names.
pub const PUBLISHED: &[Published] = &[Published {
    name: "mobilenet-v2",
    url: "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41/mobilenet_v2_1.0_224_quant.tflite",
    sha256: "7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776",
    licence: "Apache-2.0",
}];
