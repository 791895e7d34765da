//! A model that takes its time.

use std::fs;
use std::path::Path;

use test_models::{network, node};

/// Products of matrices, one after the other: they take some hundred milliseconds.
const PRODUCTS: usize = 300;

/// Writes a directory of a model that multiplies the picture with itself, again and again, and tells three classes apart.
pub(crate) fn write(folder: &Path) {
    let mut nodes = Vec::new();
    let mut last = "picture".to_owned();
    for number in 0..PRODUCTS {
        let (product, scaled) = (format!("product {number}"), format!("scaled {number}"));
        nodes.push(node("MatMul", &[&last, &last], &product));
        // Without this, numbers would soon be infinite.
        nodes.push(node("Softmax", &[&product], &scaled));
        last = scaled;
    }
    nodes.push(node("GlobalAveragePool", &[&last], "mean"));
    nodes.push(node("Flatten", &["mean"], "scores"));
    fs::write(folder.join("model.onnx"), network(&[1, 3, 224, 224], nodes)).expect("a file");
    fs::write(folder.join("labels.txt"), "red\ngreen\nblue\n").expect("a file");
}
