//! Generated models, valid and invalid, as directories on disk.

use std::fs;

use image::{Rgb, RgbImage};
use tempfile::TempDir;
use test_models::{network, node};

use super::*;

/// Builds a network that finds the dominant colour of red, green and blue.
fn colour_teller(input: &[i64]) -> Vec<u8> {
    let nodes = vec![
        node("GlobalAveragePool", &["picture"], "mean"),
        node("Mul", &["mean", "ten"], "strong"),
        node("Flatten", &["strong"], "scores"),
    ];
    network(input, nodes)
}

const LABELS: &str = "red\ngreen\nblue\n";

fn directory(network: &[u8], labels: &str, parameters: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("model.onnx"), network).unwrap();
    fs::write(directory.path().join("labels.txt"), labels).unwrap();
    fs::write(directory.path().join("model.toml"), parameters).unwrap();
    directory
}

fn load(network: &[u8], labels: &str, parameters: &str) -> Result<LoadedModel, ModelError> {
    LoadedModel::in_directory(directory(network, labels, parameters).path(), DEFAULT_MODEL_MEMORY)
}

/// Returns the error of loading a model.
fn refusal(network: &[u8], labels: &str, parameters: &str) -> String {
    match load(network, labels, parameters) {
        Err(error) => error.to_string(),
        Ok(model) => {
            panic!("{:?} was not refused: {:?}", model.description(), model.classify(&RgbImage::new(8, 8).into()))
        }
    }
}

#[test]
fn model_directory_is_loaded_and_described() {
    let network = colour_teller(&[1, 3, 8, 8]);
    let model = load(&network, LABELS, "name = \"colours\"\nlicence = \"CC0-1.0\"\noutput = \"logits\"").unwrap();
    let about = model.description();
    assert_eq!(
        (about.name.as_str(), about.licence.as_deref(), about.bytes),
        ("colours", Some("CC0-1.0"), network.len())
    );
    assert_eq!((about.input.width, about.input.height, about.output.classes), (8, 8, 3));
    let green = RgbImage::from_pixel(40, 30, Rgb([10, 200, 10])).into();
    let found = model.classify(&green).unwrap();
    assert_eq!((found.classes[0].label.as_str(), found.classes[0].index), ("green", 1));
    assert!(found.classes[0].raw > 7.0 && found.classes[0].probability > 0.9, "{:?}", found.classes);
}

#[test]
fn unlisted_rten_operator_is_supported() {
    let nodes = vec![node("GlobalMaxPool", &["picture"], "most"), node("Flatten", &["most"], "scores")];
    let model = load(&network(&[1, 3, 8, 8], nodes), LABELS, "").unwrap();
    let blue = RgbImage::from_pixel(8, 8, Rgb([10, 20, 200])).into();
    assert_eq!(model.classify(&blue).unwrap().classes[0].label, "blue");
}

#[test]
fn unnamed_model_is_named_after_its_directory() {
    let directory = directory(&colour_teller(&[1, 3, 8, 8]), LABELS, "");
    let model = LoadedModel::in_directory(directory.path(), DEFAULT_MODEL_MEMORY).unwrap();
    assert_eq!(model.description().name, directory.path().file_name().unwrap().to_string_lossy());
}

#[test]
fn checksum_mismatch_is_an_error() {
    let network = colour_teller(&[1, 3, 8, 8]);
    let sha256 = load(&network, LABELS, "").unwrap().description().sha256.clone();
    let parameters = format!("sha256 = \"{sha256}\"");
    assert!(load(&network, LABELS, &parameters).is_ok());
    let mut damaged = network;
    *damaged.last_mut().unwrap() ^= 1;
    let refusal = refusal(&damaged, LABELS, &parameters);
    assert!(refusal.contains("SHA-256") && refusal.contains(&sha256), "{refusal}");
}

#[test]
fn invalid_or_incomplete_model_is_refused() {
    assert!(refusal(b"no network", LABELS, "").contains("cannot be loaded"));
    let network = colour_teller(&[1, 3, 8, 8]);
    assert!(refusal(&network[..network.len() / 2], LABELS, "").contains("cannot be loaded"));
    assert!(refusal(&network, LABELS, "colour = \"blue\"").contains("colour"));
    let directory = directory(&network, LABELS, "");
    fs::remove_file(directory.path().join("labels.txt")).unwrap();
    let without_labels = LoadedModel::in_directory(directory.path(), DEFAULT_MODEL_MEMORY).err().expect("refused");
    assert!(without_labels.to_string().contains("labels.txt"), "{without_labels}");
}

#[test]
fn truncated_network_is_an_error_and_never_panics() {
    let network = colour_teller(&[1, 3, 8, 8]);
    let sha256 = load(&network, LABELS, "").unwrap().description().sha256.clone();
    for length in 0..network.len() {
        assert!(load(&network[..length], LABELS, &format!("sha256 = \"{sha256}\"")).is_err(), "{length} bytes");
        // Some prefixes are valid smaller networks.
        drop(load(&network[..length], LABELS, ""));
    }
}

#[test]
fn network_without_image_input_is_refused() {
    for shape in [&[1, 10][..], &[1, 4, 8, 8], &[2, 3, 8, 8, 8], &[1, 3, 100_000, 8], &[1, 3, 0, 8]] {
        assert!(load(&colour_teller(shape), LABELS, "").is_err(), "{shape:?}");
    }
}

#[test]
fn wrong_label_count_is_refused() {
    for labels in ["red\ngreen\n", "red\ngreen\nblue\nblack\n", ""] {
        let refusal = refusal(&colour_teller(&[1, 3, 8, 8]), labels, "");
        assert!(refusal.contains("tells 3 apart"), "{refusal}");
    }
}

#[test]
fn network_with_non_finite_output_is_refused() {
    let nodes = vec![
        node("GlobalAveragePool", &["picture"], "mean"),
        node("Sub", &["mean", "ten"], "negative"),
        node("Sqrt", &["negative"], "nonsense"),
        node("Flatten", &["nonsense"], "scores"),
    ];
    let refusal = refusal(&network(&[1, 3, 8, 8], nodes), LABELS, "");
    assert!(refusal.contains("NaN"), "{refusal}");
}

#[test]
fn network_over_memory_limit_is_refused_before_allocation() {
    let needy = refusal(&colour_teller(&[1, 3, 4096, 4096]), LABELS, "");
    assert!(needy.contains("memory") && needy.contains("MODEL_MEMORY_BYTES"), "{needy}");
    let directory = directory(&colour_teller(&[1, 3, 8, 8]), LABELS, "");
    let large = LoadedModel::in_directory(directory.path(), 1 << 20).err().expect("refused");
    assert!(matches!(large, ModelError::Memory { limit: 1_048_576, .. }), "{large}");
}
