//! The published model with a thousand classes, which `up` downloads once.

use anyhow::Result;

use crate::repository::{Repository, run};

/// Directories of published models. `dapr.yaml` lists the same ones, and then the small model.
const PUBLISHED: [&str; 2] = ["models/mobilenet-v2", "models/efficientnet-lite0"];

/// Returns true if there is no published model.
pub(super) fn is_missing(repository: &Repository) -> bool {
    !PUBLISHED.iter().any(|model| repository.path(model).is_dir())
}

/// Downloads the first published model that can be reached. If none can, prints that and continues.
pub(super) fn download(repository: &Repository) -> Result<()> {
    run(&mut repository.cargo(&["run", "--quiet", "--locked", "--package", "model-import", "--", "get", "--optional"]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn either_published_model_is_enough() {
        for model in PUBLISHED {
            let folder = TempDir::new().unwrap();
            let repository = Repository::new(Some(folder.path().to_owned()));
            fs::create_dir_all(folder.path().join("models/default")).unwrap();
            assert!(is_missing(&repository));
            fs::create_dir(folder.path().join(model)).unwrap();
            assert!(!is_missing(&repository));
        }
    }

    #[test]
    fn run_template_prefers_published_models() {
        let template = fs::read_to_string(Repository::new(None).path(crate::run_template::FILE)).unwrap();
        let expected = format!("MODEL_DIR={},models/default", PUBLISHED.join(","));
        assert!(template.contains(&expected), "{expected}");
    }
}
