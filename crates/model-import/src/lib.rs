//! Makes a model directory, as the classify service reads it, of a published model: downloads it where needed, and turns
//! TensorFlow Lite or PyTorch weights into ONNX.

mod directory;
pub mod download;
mod efficientnet;
mod flat;
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
