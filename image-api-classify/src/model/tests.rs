//! Models of the tests' own making, good and bad, as folders on the disk.

use std::fs;

use image::{Rgb, RgbImage};
use tempfile::TempDir;
use test_models::{network, node};

use super::*;

/// Tells which of red, green and blue there is most of.
fn colour_teller(input: &[i64]) -> Vec<u8> {
    let nodes = vec![
        node("GlobalAveragePool", &["picture"], "mean"),
        node("Mul", &["mean", "ten"], "strong"),
        node("Flatten", &["strong"], "scores"),
    ];
    network(input, nodes)
}

const LABELS: &str = "red\ngreen\nblue\n";

fn folder(network: &[u8], labels: &str, parameters: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.onnx"), network).unwrap();
    fs::write(folder.path().join("labels.txt"), labels).unwrap();
    fs::write(folder.path().join("model.toml"), parameters).unwrap();
    folder
}

fn load(network: &[u8], labels: &str, parameters: &str) -> Result<LoadedModel, ModelError> {
    LoadedModel::in_directory(folder(network, labels, parameters).path(), DEFAULT_MODEL_MEMORY)
}

/// Why that model is refused.
fn refusal(network: &[u8], labels: &str, parameters: &str) -> String {
    match load(network, labels, parameters) {
        Err(error) => error.to_string(),
        Ok(model) => {
            panic!("{:?} was not refused: {:?}", model.description(), model.classify(&RgbImage::new(8, 8).into()))
        }
    }
}

#[test]
fn a_folder_is_a_model_and_says_so() {
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
fn an_operator_that_rten_forgot_to_list_is_known_all_the_same() {
    let nodes = vec![node("GlobalMaxPool", &["picture"], "most"), node("Flatten", &["most"], "scores")];
    let model = load(&network(&[1, 3, 8, 8], nodes), LABELS, "").unwrap();
    let blue = RgbImage::from_pixel(8, 8, Rgb([10, 20, 200])).into();
    assert_eq!(model.classify(&blue).unwrap().classes[0].label, "blue");
}

#[test]
fn a_model_without_a_name_is_called_after_its_folder() {
    let folder = folder(&colour_teller(&[1, 3, 8, 8]), LABELS, "");
    let model = LoadedModel::in_directory(folder.path(), DEFAULT_MODEL_MEMORY).unwrap();
    assert_eq!(model.description().name, folder.path().file_name().unwrap().to_string_lossy());
}

#[test]
fn the_checksum_tells_a_damaged_network_from_the_right_one() {
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
fn what_is_no_network_and_what_lacks_a_part_is_refused() {
    assert!(refusal(b"no network", LABELS, "").contains("cannot be loaded"));
    let network = colour_teller(&[1, 3, 8, 8]);
    assert!(refusal(&network[..network.len() / 2], LABELS, "").contains("cannot be loaded"));
    assert!(refusal(&network, LABELS, "colour = \"blue\"").contains("colour"));
    let folder = folder(&network, LABELS, "");
    fs::remove_file(folder.path().join("labels.txt")).unwrap();
    let without_labels = LoadedModel::in_directory(folder.path(), DEFAULT_MODEL_MEMORY).err().expect("refused");
    assert!(without_labels.to_string().contains("labels.txt"), "{without_labels}");
}

#[test]
fn a_network_cut_off_anywhere_is_refused_with_its_checksum_and_never_panics_without() {
    let network = colour_teller(&[1, 3, 8, 8]);
    let sha256 = load(&network, LABELS, "").unwrap().description().sha256.clone();
    for length in 0..network.len() {
        assert!(load(&network[..length], LABELS, &format!("sha256 = \"{sha256}\"")).is_err(), "{length} bytes");
        // Some ends are the end of a smaller network.
        drop(load(&network[..length], LABELS, ""));
    }
}

#[test]
fn a_network_for_anything_but_pictures_is_refused() {
    for shape in [&[1, 10][..], &[1, 4, 8, 8], &[2, 3, 8, 8, 8], &[1, 3, 100_000, 8], &[1, 3, 0, 8]] {
        assert!(load(&colour_teller(shape), LABELS, "").is_err(), "{shape:?}");
    }
}

#[test]
fn labels_that_are_not_as_many_as_classes_are_refused() {
    for labels in ["red\ngreen\n", "red\ngreen\nblue\nblack\n", ""] {
        let refusal = refusal(&colour_teller(&[1, 3, 8, 8]), labels, "");
        assert!(refusal.contains("tells 3 apart"), "{refusal}");
    }
}

#[test]
fn a_network_whose_answers_are_no_numbers_is_refused() {
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
fn a_network_that_needs_more_memory_than_it_may_have_is_refused_before_it_takes_it() {
    let needy = refusal(&colour_teller(&[1, 3, 4096, 4096]), LABELS, "");
    assert!(needy.contains("memory") && needy.contains("MODEL_MEMORY_BYTES"), "{needy}");
    let folder = folder(&colour_teller(&[1, 3, 8, 8]), LABELS, "");
    let large = LoadedModel::in_directory(folder.path(), 1 << 20).err().expect("refused");
    assert!(matches!(large, ModelError::Memory { limit: 1_048_576, .. }), "{large}");
}
