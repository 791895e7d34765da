//! A slow model.

use std::fs;
use std::path::Path;

/// Writes the directory of a model that takes some hundred milliseconds, and has three classes.
pub(crate) fn write(folder: &Path) {
    fs::write(folder.join("model.onnx"), test_models::slow()).expect("a file");
    fs::write(folder.join("labels.txt"), "red\ngreen\nblue\n").expect("a file");
}
