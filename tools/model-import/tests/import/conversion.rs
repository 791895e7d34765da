//! Conversion of a published model for the service. `TESTDATA_DIR` names a directory with one.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use image_api_classify::{Classifier as _, DEFAULT_MODEL_MEMORY, LoadedModel};
use image_intake::{DEFAULT_MAX_PIXELS, InputImage};
use model_import::{About, ImportError, PUBLISHED, write};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Largest difference of a confidence from the original's, in 255ths.
///
/// The original computes in bytes, and this in floating point; two sets of its own kernels differ by up to eight.
const TOLERANCE: u8 = 5;

const ABOUT: About<'_> = About { name: "a-model", licence: Some("Apache-2.0"), source: "a test", labels: None };

fn test_data() -> Option<(PathBuf, Vec<u8>)> {
    let Some(folder) = std::env::var_os("TESTDATA_DIR").map(PathBuf::from) else {
        println!("NOT RUN: TESTDATA_DIR names no folder with models/mobilenet-v2/model.tflite");
        return None;
    };
    let tflite = fs::read(folder.join("models/mobilenet-v2/model.tflite")).unwrap();
    Some((folder, tflite))
}

#[test]
fn converted_mobilenet_matches_the_original() {
    let Some((data, tflite)) = test_data() else { return };
    let published = PUBLISHED.iter().find(|model| model.name == "mobilenet-v2").unwrap();
    let found: String = Sha256::digest(&tflite).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, published.sha256);
    let folder = TempDir::new().unwrap();
    let folder = folder.path().join("mobilenet-v2");
    write(&tflite, &ABOUT, &folder).unwrap();
    let model = LoadedModel::in_directory(&folder, DEFAULT_MODEL_MEMORY).unwrap();
    assert_eq!((model.description().name.as_str(), model.description().labels.len()), ("a-model", 1001));
    assert!(model.description().bytes < 4_000_000, "weights stay bytes");
    let classes = |picture: &str| {
        let bytes = fs::read(data.join("images").join(picture)).unwrap();
        let picture = InputImage::admit(&bytes, DEFAULT_MAX_PIXELS).unwrap().decode().unwrap();
        model.classify(&picture).unwrap().classes
    };
    let food = classes("food.jpg").remove(0);
    assert_eq!((food.label.as_str(), food.score), ("hotdog", 255));
    for (picture, expected) in reference() {
        let found: BTreeMap<usize, u8> = classes(&picture).iter().map(|class| (class.index, class.score)).collect();
        let best = found.iter().max_by_key(|(index, score)| (**score, Reverse(**index)));
        assert_eq!(best.map(|(index, _)| *index), expected.first().map(|(index, _)| *index), "{picture}");
        let expected: BTreeMap<usize, u8> = expected.into_iter().collect();
        let likely = found.iter().filter(|(_, score)| **score >= 5).map(|(index, _)| index);
        for index in likely.chain(expected.keys()) {
            let [found, expected] = [&found, &expected].map(|classes| classes.get(index).copied().unwrap_or(0));
            assert!(found.abs_diff(expected) <= TOLERANCE, "{picture}: class {index}: {found} for {expected}");
        }
    }
}

/// Results of TensorFlow Lite's own interpreter for each image, as printed by `models/reference/ask.py`: each class of
/// at least 5/255, with its confidence in 255ths, the likeliest first.
fn reference() -> BTreeMap<String, Vec<(usize, u8)>> {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

#[test]
fn existing_directory_is_replaced_only_by_a_complete_one() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path().join("model");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine"), "mine").unwrap();
    assert!(matches!(write(b"no model", &ABOUT, &folder), Err(ImportError::Damaged(_))));
    assert!(folder.join("mine").exists());
    let Some((_, tflite)) = test_data() else { return };
    write(&tflite, &ABOUT, &folder).unwrap();
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["MODEL_CARD.md", "labels.txt", "model.onnx", "model.toml"]);
}

#[test]
fn damaged_file_is_an_error() {
    let Some((_, tflite)) = test_data() else { return };
    let folder = TempDir::new().unwrap();
    let folder = folder.path().join("model");
    for part in 0..100 {
        let cut = tflite.len() * part / 100;
        assert!(write(&tflite[..cut], &ABOUT, &folder).is_err(), "{part} %");
    }
    // Whatever the structure says, nothing panics.
    let structure = tflite.len() - 60_000;
    for at in (0..60_000).step_by(997) {
        let mut damaged = tflite.clone();
        damaged[structure + at] ^= 0xFF;
        drop(write(&damaged, &ABOUT, &folder));
    }
}
