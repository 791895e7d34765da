//! Component files, configurations and run templates of any text.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary directory"));

fuzz_target!(|bytes: &[u8]| {
    let file = DIRECTORY.path().join("file.yaml");
    fs::write(&file, bytes).expect("a file");
    // Errors have a place and a message each; printing them must not fail either.
    if let Err(errors) = dapr_resources::resources::load(&[DIRECTORY.path().to_owned()], None) {
        let _ = errors.to_string();
    }
    if let Err(errors) = dapr_resources::configuration::load(std::slice::from_ref(&file), &|_| None) {
        let _ = errors.to_string();
    }
    if let Err(errors) = dapr_resources::run_template::load(&file, None) {
        let _ = errors.to_string();
    }
});
