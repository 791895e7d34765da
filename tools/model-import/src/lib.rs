//! Creates a model directory for the classify service from a published model.
//!
//! Downloads the model if needed, and converts TensorFlow Lite or PyTorch weights to ONNX.

mod directory;
pub mod download;
mod efficientnet;
mod flatbuffer;
mod graph;
pub mod index;
mod labels;
mod operators;
mod pickle;
pub mod pip;
mod published;
mod pytorch;
mod tflite;
pub mod tls;

pub use directory::{About, ImportError, write, write_efficientnet};
pub use published::{Fetch, GetError, Origin, PUBLISHED, Published};
