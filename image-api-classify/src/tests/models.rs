//! Selection of the model, and where it is reported.

use std::path::Path;
use std::sync::Mutex;

use http::Request;
use serde_json::Value;

use super::*;

/// A log that keeps its lines.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

pub(super) fn default_model() -> PathBuf {
    PathBuf::from("../models/default")
}

/// Returns the source of the model that is loaded from these directories.
fn source(directories: &[&Path]) -> Result<String, ModelError> {
    let directories: Vec<PathBuf> = directories.iter().map(|path| path.to_path_buf()).collect();
    load(&directories, DEFAULT_MODEL_MEMORY, &Quiet).map(|model| model.description().source.clone())
}

#[test]
fn first_model_directory_that_exists_answers() {
    let (own, missing) = (default_model(), Path::new("no/such/directory"));
    assert_eq!(source(&[missing, &own]).unwrap(), own.display().to_string());
    assert_eq!(source(&[]).unwrap(), "part of the service");
    let error = source(&[missing]).unwrap_err();
    assert!(matches!(&error, ModelError::Missing(path) if path == missing), "{error}");
}

#[test]
fn broken_model_directory_is_an_error_not_passed_over() {
    let empty = tempfile::TempDir::new().unwrap();
    let error = source(&[empty.path(), &default_model()]).unwrap_err();
    assert!(matches!(&error, ModelError::Missing(path) if path == empty.path()), "{error}");
}

#[test]
fn model_dir_is_a_list_with_or_without_spaces() {
    assert_eq!(directories("models/a, models/b,"), ["models/a", "models/b"].map(PathBuf::from));
}

#[tokio::test]
async fn small_model_mentions_the_large_model_everywhere() {
    let log = Lines::default();
    let service = service(load(&[default_model()], DEFAULT_MODEL_MEMORY, &log));
    let source = log.0.lock().unwrap().join("\n");
    let (_, health) = ask(&service, Request::get("/healthz"), Bytes::new()).await;
    for place in [&source, &health] {
        assert!(place.contains("model cifar10-small") && place.contains("it knows 10 things"), "{place}");
        assert!(place.contains("cargo xtask model get"), "{place}");
    }
    let (_, model) = ask(&service, Request::get("/model"), Bytes::new()).await;
    let model: Value = serde_json::from_str(&model).unwrap();
    assert_eq!((&model["name"], &model["output"]["classes"]), (&"cifar10-small".into(), &10.into()));
    assert!(model["note"].as_str().unwrap().contains("cargo xtask model get"), "{model}");
}
