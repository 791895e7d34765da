//! Writes a model directory, completely or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rten_onnx::onnx::ModelProto;
use sha2::{Digest as _, Sha256};

use crate::flatbuffer::Damaged;
use crate::pytorch::StateDict;
use crate::tflite::Model;
use crate::{efficientnet, labels, operators};

/// Input and output of the published network: the whole image, colours from 0 to 1, logits.
const EFFICIENTNET_PARAMETERS: &str = "\
layout = \"nchw\"
fit = \"stretch\"
# 127/255 and 128/255.
mean = [0.49803922, 0.49803922, 0.49803922]
deviation = [0.5019608, 0.5019608, 0.5019608]
output = \"logits\"
";

/// Facts about a model that its file does not contain.
pub struct About<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Licence, if known.
    pub licence: Option<&'a str>,
    /// Origin.
    pub source: &'a str,
    /// Labels, if they are not packed with the model.
    pub labels: Option<String>,
}

/// Error of an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The weights cannot be read.
    #[error("the weights cannot be read: {0}")]
    Weights(String),
    /// An operator of the model has no counterpart here.
    #[error("this model cannot be converted: {0}")]
    Unsupported(String),
    /// The class names are missing.
    #[error("the file has no labels packed behind it; name a file of them, one a line, with --labels")]
    WithoutLabels,
    /// The converted network cannot be encoded.
    #[error("the converted model cannot be written: {0}")]
    Encode(String),
    /// The directory cannot be written.
    #[error("`{}` cannot be written: {source}", .path.display())]
    Write {
        /// Path of the file or directory.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

/// A converted model, before it is written.
struct Converted {
    network: ModelProto,
    labels: String,
    /// Input and output settings of `model.toml`.
    parameters: &'static str,
    /// Source format, and changes made by the conversion, for the model card.
    source_format: &'static str,
    changes: &'static str,
    source_sha256: String,
}

/// Writes the model directory of a `.tflite` file, and replaces an existing one.
///
/// # Errors
/// If the file is damaged or unsupported, or the directory cannot be written; then nothing has changed.
pub fn write(tflite: &[u8], about: &About<'_>, folder: &Path) -> Result<(), ImportError> {
    let network = operators::convert_model(&Model::read(tflite)?)?;
    let labels = about.labels.clone().or_else(|| labels::read_packed(tflite)).ok_or(ImportError::WithoutLabels)?;
    let converted = Converted {
        network,
        labels,
        parameters: "layout = \"nhwc\"\nfit = \"stretch\"\n",
        source_format: "TensorFlow Lite",
        changes: "Whole numbers became floating-point numbers: scores may differ from the source's by a few 255ths.",
        source_sha256: hex(tflite),
    };
    write_directory(&converted, about, folder)
}

/// Writes the model directory of EfficientNet-Lite0's weights (a `.pth` file), and replaces an existing one.
///
/// # Errors
/// If the file is damaged, has another network's weights, or the directory cannot be written; then nothing has changed.
pub fn write_efficientnet(pth: &[u8], about: &About<'_>, directory: &Path) -> Result<(), ImportError> {
    let converted = Converted {
        network: efficientnet::network(&StateDict::read(pth)?)?,
        labels: about.labels.clone().unwrap_or_else(labels::imagenet),
        parameters: EFFICIENTNET_PARAMETERS,
        source_format: "PyTorch weights",
        changes: "Batch norms are folded into convolutions, and filters of single pixels are stored as bytes. On 240 photographs the \
                  first class stayed the same for 95 %, and for 98 % of those with at least 40 % confidence; the mean \
                  divergence (Kullback-Leibler) from the source is 0.004.",
        source_sha256: hex(pth),
    };
    write_directory(&converted, about, directory)
}

fn write_directory(converted: &Converted, about: &About<'_>, folder: &Path) -> Result<(), ImportError> {
    let network = converted.network.write_buf().map_err(|error| ImportError::Encode(error.to_string()))?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| ImportError::Write { path, source }
    };
    let new = folder.with_extension("new");
    // Leftovers of an interrupted import.
    let _ = fs::remove_dir_all(&new);
    fs::create_dir_all(&new).map_err(failed(&new))?;
    let parameters = parameters(&network, about, converted.parameters);
    let card = card(converted, about);
    for (name, contents) in [
        ("model.onnx", network.as_slice()),
        ("labels.txt", converted.labels.as_bytes()),
        ("model.toml", parameters.as_bytes()),
        ("MODEL_CARD.md", card.as_bytes()),
    ] {
        let path = new.join(name);
        fs::write(&path, contents).map_err(failed(&path))?;
    }
    let old = folder.with_extension("old");
    let _ = fs::remove_dir_all(&old);
    if folder.exists() {
        fs::rename(folder, &old).map_err(failed(folder))?;
    }
    fs::rename(&new, folder).map_err(failed(folder))?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

fn parameters(network: &[u8], about: &About<'_>, of_kind: &str) -> String {
    let licence = about.licence.map(|licence| format!("licence = {licence:?}\n")).unwrap_or_default();
    let (name, sha256) = (about.name, hex(network));
    format!("# Written by cargo xtask model.\nname = {name:?}\n{licence}sha256 = \"{sha256}\"\n{of_kind}")
}

fn card(converted: &Converted, about: &About<'_>) -> String {
    let licence = about.licence.unwrap_or("not told by the file");
    let Converted { source_format, changes, source_sha256, .. } = converted;
    format!(
        "# Model card: {}\n\nConverted by `cargo xtask model` from {source_format}.\n\n- **Source**: {}\n- **SHA-256 of the \
         source**: {source_sha256}\n- **Licence**: {licence}\n- {changes}\n",
        about.name, about.source,
    )
}

/// Returns the SHA-256 in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
