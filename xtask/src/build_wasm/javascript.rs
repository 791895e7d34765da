//! The component written in JavaScript. The result of npm is cached for each state of its sources, so that a fresh
//! checkout needs neither npm nor a network.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::{copy, install};
use crate::repository::{Repository, run};
use crate::setup::{NPM, is_installed};

/// Name of the file, and of the directory in `examples/`.
const NAME: &str = "state-store-js";

/// All sources, relative to its directory.
const SOURCES: &[&str] = &[".npmrc", "package.json", "package-lock.json", "src", "test", "../../wit/components"];

/// Tests and builds the component if its sources changed, and copies it to the directory `to`. Without npm it only
/// prints a message.
pub(super) fn build(repository: &Repository, to: &Path) -> Result<()> {
    let folder = repository.path("examples").join(NAME);
    let to = to.join(NAME).with_extension("wasm");
    let kept = toolchains::caches()?.join("javascript").join(format!("{NAME}-{}.wasm", digest(&folder)?));
    if !kept.is_file() {
        if !is_installed(NPM) {
            eprintln!(
                "  NOT BUILT: {NAME}.wasm needs Node.js and npm, which `cargo xtask setup --test-servers` installs; \
                 the test that loads it will say that it did not run"
            );
            // An existing file is of other sources, and no test should pass on it.
            if to.exists() {
                fs::remove_file(&to).with_context(|| format!("cannot remove {}", to.display()))?;
            }
            return Ok(());
        }
        make(repository, &folder, &kept)?;
    }
    install(&kept, &to)
}

fn make(repository: &Repository, folder: &Path, kept: &Path) -> Result<()> {
    for arguments in [&["ci"][..], &["test", "--silent"], &["run", "build", "--silent"]] {
        run(repository.command(NPM).current_dir(folder).args(arguments))?;
    }
    let to = kept.parent().unwrap_or(kept);
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    copy(&folder.join("build").join(NAME).with_extension("wasm"), kept)
}

/// Returns a checksum of all sources.
fn digest(folder: &Path) -> Result<String> {
    let mut digest = Sha256::new();
    for file in sources(folder)? {
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        for part in [file.file_name().unwrap_or_default().as_encoded_bytes(), &content] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
    }
    Ok(format!("{:x}", digest.finalize()))
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for source in SOURCES.iter().map(|source| folder.join(source)) {
        if source.is_dir() {
            let inside = fs::read_dir(&source).and_then(|entries| entries.map(|it| Ok(it?.path())).collect());
            let mut inside: Vec<PathBuf> = inside.with_context(|| format!("cannot list {}", source.display()))?;
            inside.sort();
            files.append(&mut inside);
        } else {
            files.push(source);
        }
    }
    Ok(files)
}
