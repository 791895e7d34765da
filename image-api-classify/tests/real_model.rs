//! MobileNet V2 on real photographs. Runs where `TESTDATA_DIR` names a folder with both, and says so where it does not.

#![expect(clippy::print_stdout, reason = "whoever runs the tests has to see what did not run")]

use std::path::PathBuf;

use image_api_classify::{Classifier, DEFAULT_MODEL_MEMORY, LoadedModel};
use image_intake::{DEFAULT_MAX_PIXELS, Picture};

fn test_data() -> Option<PathBuf> {
    let directory = std::env::var_os("TESTDATA_DIR").map(PathBuf::from);
    if directory.is_none() {
        println!("NOT RUN: real_model needs TESTDATA_DIR with models/mobilenet-v2 and images/food.jpg");
    }
    directory
}

#[test]
fn a_photograph_of_a_hot_dog_is_a_hotdog_without_any_doubt() {
    let Some(directory) = test_data() else { return };
    let model = LoadedModel::in_directory(&directory.join("models/mobilenet-v2"), DEFAULT_MODEL_MEMORY).unwrap();
    let bytes = std::fs::read(directory.join("images/food.jpg")).unwrap();
    let picture = Picture::admit(&bytes, DEFAULT_MAX_PIXELS).unwrap().decode().unwrap();
    let best = model.classify(&picture).unwrap().classes.remove(0);
    assert_eq!((best.label.as_str(), best.score), ("hotdog", 255));
}
