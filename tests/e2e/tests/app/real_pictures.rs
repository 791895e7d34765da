//! Photographs and a published model, which are not in the repository: `TESTDATA_DIR` names their directory.

use std::path::PathBuf;

use e2e::{Deployment, Options};

/// Returns the directory; prints a message if there is none.
fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("TESTDATA_DIR").map(PathBuf::from);
    if folder.is_none() {
        println!("DID NOT RUN: TESTDATA_DIR names no folder with images/ and models/");
    }
    folder
}

#[test]
fn photographs_are_classified_and_turn_gray() {
    let Some(data) = test_data() else { return };
    let model = data.join("models/mobilenet-v2").canonicalize().expect("the model's folder");
    let deployment = Deployment::start(&Options { model: Some(model), ..crate::options() });
    let read = |name: &str| std::fs::read(data.join("images").join(name)).expect(name);
    let answer = deployment.classify("POST", "/classify").body(read("food.jpg")).send();
    assert_eq!(answer.text().trim(), "hotdog is detected with 255/255 confidence");
    let json =
        deployment.classify("POST", "/classify").header("Accept", "application/json").body(read("food.jpg")).send();
    assert!(json.text().contains("hotdog"), "{}", json.text());
    for name in ["hot_dog.jpg", "parrot.jpg", "food.jpg", "grace_hopper.bmp", "cat_720p.jpg"] {
        let answer = deployment.grayscale("POST", "/grayscale").header("Accept", "image/png").body(read(name)).send();
        assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"), "{name}");
    }
}
