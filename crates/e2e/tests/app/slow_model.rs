//! A model that takes its time.

use std::fs;
use std::path::Path;

/// Writes a directory of a model that takes some hundred milliseconds, and tells three classes apart.
pub(crate) fn write(folder: &Path) {
    fs::write(folder.join("model.onnx"), test_models::slow()).expect("a file");
    fs::write(folder.join("labels.txt"), "red\ngreen\nblue\n").expect("a file");
}
