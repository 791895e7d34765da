//! Published models on real photographs. Skipped, with a message, unless `TESTDATA_DIR` names a directory with both.

use std::path::Path;

use http::Request;

use super::*;

/// Expected ImageNet labels of the photographs.
const SHOWN: [(&str, &[&str]); 5] = [
    ("food.jpg", &["hotdog"]),
    ("hot_dog.jpg", &["hotdog"]),
    ("cat_720p.jpg", &["tabby", "tiger cat", "Egyptian cat"]),
    ("parrot.jpg", &["macaw"]),
    ("grace_hopper.bmp", &["military uniform"]),
];

fn test_data() -> Option<PathBuf> {
    let directory = std::env::var_os("TESTDATA_DIR").map(PathBuf::from);
    if directory.is_none() {
        println!("NOT RUN: TESTDATA_DIR names no directory with images/ and models/mobilenet-v2");
    }
    directory
}

fn service_with(model: &Path) -> Router {
    service(load(&[model.to_owned()], DEFAULT_MODEL_MEMORY, &Quiet))
}

#[tokio::test]
async fn published_models_recognise_photographs() {
    let Some(data) = test_data() else { return };
    let own = Path::new("../models");
    // Models that `cargo xtask model get` downloaded, if any.
    let downloaded = ["mobilenet-v2", "efficientnet-lite0"].map(|name| own.join(name));
    let models = [data.join("models/mobilenet-v2")].into_iter().chain(downloaded).filter(|path| path.is_dir());
    for model in models {
        let service = service_with(&model);
        for (file, labels) in SHOWN {
            let bytes = std::fs::read(data.join("images").join(file)).unwrap();
            let (status, sentence) = ask_large(&service, bytes.into()).await;
            let is_shown = labels.iter().any(|label| sentence.starts_with(&format!("{label} is detected with ")));
            assert!(status == StatusCode::OK && is_shown, "{}, {file}: {sentence}", model.display());
        }
    }
}

#[tokio::test]
async fn hot_dog_has_full_confidence() {
    let Some(data) = test_data() else { return };
    let service = service_with(&data.join("models/mobilenet-v2"));
    let bytes = std::fs::read(data.join("images/food.jpg")).unwrap();
    let answer = ask_large(&service, bytes.into()).await;
    assert_eq!(answer, (StatusCode::OK, "hotdog is detected with 255/255 confidence".to_owned()));
}

const HOT_DOG: &[u8] = include_bytes!("../../../docs/examples/hot-dog.jpg");

#[tokio::test]
async fn small_model_is_unsure_of_things_it_does_not_know() {
    let service = service_with(&models::default_model());
    let (_, drawing) = ask_large(&service, HOT_DOG.into()).await;
    assert!(drawing.starts_with("unsure: "), "{drawing}");
    let Some(data) = test_data() else { return };
    for file in ["food.jpg", "hot_dog.jpg", "grace_hopper.bmp"] {
        let bytes = std::fs::read(data.join("images").join(file)).unwrap();
        let (_, sentence) = ask_large(&service, bytes.into()).await;
        assert!(sentence.starts_with("unsure: "), "{file}: {sentence}");
    }
    let cat = std::fs::read(data.join("images/cat_720p.jpg")).unwrap();
    let (_, sentence) = ask_large(&service, cat.into()).await;
    assert!(sentence.starts_with("cat is detected with "), "{sentence}");
}

/// One in this many test images is used.
const SAMPLE_EVERY: usize = 5;

#[test]
fn small_model_loses_few_right_answers_to_doubt() {
    let Some(data) = test_data() else { return };
    let archive = std::fs::File::open(data.join("datasets/cifar10-images.tar")).unwrap();
    let model = LoadedModel::in_directory(&models::default_model(), DEFAULT_MODEL_MEMORY).unwrap();
    let unsure_below = model.description().output.unsure_below;
    let (mut right, mut lost, mut number) = (0, 0, 0);
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let Some((label, _)) = path.strip_prefix("test/").and_then(|rest| rest.split_once('/')) else { continue };
        number += 1;
        if !path.ends_with(".jpg") || number % SAMPLE_EVERY != 0 {
            continue;
        }
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let image = InputImage::admit(&bytes, DEFAULT_MAX_PIXELS).unwrap().decode().unwrap();
        let best = model.classify(&image).unwrap().classes.remove(0);
        if best.label == label {
            right += 1;
            lost += usize::from(best.probability < unsure_below);
        }
    }
    assert!(number > 10_000 && right > 1700, "{right} right of {}", number / SAMPLE_EVERY);
    assert!(lost * 100 <= right * 8, "{lost} of {right} right answers are called unsure");
}

async fn ask_large(service: &Router, image: Bytes) -> (StatusCode, String) {
    ask(service, Request::post("/classify"), image).await
}
