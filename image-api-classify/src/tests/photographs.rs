//! Published models on real photographs. Runs where `TESTDATA_DIR` names a folder with both, and says so where it does not.

use std::path::Path;

use http::Request;

use super::*;

/// What the photographs show, in ImageNet's words.
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
        println!("NOT RUN: TESTDATA_DIR names no folder with images/ and models/mobilenet-v2");
    }
    directory
}

fn service_with(model: &Path) -> Service<Classify> {
    service(load(&[model.to_owned()], DEFAULT_MODEL_MEMORY, &Quiet))
}

#[tokio::test]
async fn published_models_say_what_photographs_show() {
    let Some(data) = test_data() else { return };
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    // What `cargo xtask model get` has downloaded, if anything.
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
async fn hot_dog_is_a_hotdog_without_any_doubt() {
    let Some(data) = test_data() else { return };
    let service = service_with(&data.join("models/mobilenet-v2"));
    let bytes = std::fs::read(data.join("images/food.jpg")).unwrap();
    let answer = ask_large(&service, bytes.into()).await;
    assert_eq!(answer, (StatusCode::OK, "hotdog is detected with 255/255 confidence".to_owned()));
}

async fn ask_large(service: &Service<Classify>, image: Bytes) -> (StatusCode, String) {
    ask(service, Request::post("/classify"), image).await
}
