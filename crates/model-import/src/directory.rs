//! The folder that is written: all of it, or nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::flat::Damaged;
use crate::tflite::Model;
use crate::{labels, operators};

/// What the file itself does not tell.
pub struct About<'a> {
    /// What the model is called.
    pub name: &'a str,
    /// Its licence, where it is known.
    pub licence: Option<&'a str>,
    /// Where it is from.
    pub source: &'a str,
    /// Its labels, where they are not packed behind it.
    pub labels: Option<String>,
}

/// Why no model came of a file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// It computes something that has no counterpart here.
    #[error("this model cannot be converted: {0}")]
    Unsupported(String),
    /// It does not say what its classes are called.
    #[error("the file has no labels packed behind it; name a file of them, one a line, with --labels")]
    WithoutLabels,
    /// What it became cannot be written down.
    #[error("the converted model cannot be written: {0}")]
    Encode(String),
    /// The folder cannot be written.
    #[error("`{}` cannot be written: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Writes the model directory of a `.tflite` file, and takes the place of one that is there.
///
/// # Errors
/// When the file is damaged, not understood, or the folder cannot be written; then nothing has changed.
pub fn write(tflite: &[u8], about: &About<'_>, folder: &Path) -> Result<(), ImportError> {
    let model = operators::converted(&Model::read(tflite)?)?;
    let network = model.write_buf().map_err(|error| ImportError::Encode(error.to_string()))?;
    let labels = about.labels.clone().or_else(|| labels::packed(tflite)).ok_or(ImportError::WithoutLabels)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| ImportError::Write { path, source }
    };
    let part = folder.with_extension("part");
    // What an interrupted import has left behind.
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part).map_err(failed(&part))?;
    let parameters = parameters(&network, about);
    let card = card(tflite, about);
    for (name, contents) in [
        ("model.onnx", network.as_slice()),
        ("labels.txt", labels.as_bytes()),
        ("model.toml", parameters.as_bytes()),
        ("MODEL_CARD.md", card.as_bytes()),
    ] {
        let path = part.join(name);
        fs::write(&path, contents).map_err(failed(&path))?;
    }
    let old = folder.with_extension("old");
    let _ = fs::remove_dir_all(&old);
    if folder.exists() {
        fs::rename(folder, &old).map_err(failed(folder))?;
    }
    fs::rename(&part, folder).map_err(failed(folder))?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

fn parameters(network: &[u8], about: &About<'_>) -> String {
    let licence = about.licence.map(|licence| format!("licence = {licence:?}\n")).unwrap_or_default();
    let (name, sha256) = (about.name, hex(network));
    format!(
        "# Written by cargo xtask model.\nname = {name:?}\n{licence}sha256 = \"{sha256}\"\nlayout = \"nhwc\"\nfit = \"stretch\"\n"
    )
}

fn card(tflite: &[u8], about: &About<'_>) -> String {
    let licence = about.licence.unwrap_or("not told by the file");
    format!(
        "# Model card: {}\n\nConverted by `cargo xtask model` from TensorFlow Lite.\n\n- **Source**: {}\n- **SHA-256 of the \
         source**: {}\n- **Licence**: {licence}\n- Whole numbers became floating-point numbers: scores may differ from the \
         source's by a few 255ths.\n",
        about.name,
        about.source,
        hex(tflite),
    )
}

/// The SHA-256 of some bytes, as people write it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
