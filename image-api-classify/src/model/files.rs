//! Files of a model, from a directory or embedded in this program.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{ModelError, memory};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Possible names of the network's file; the first that exists is used.
const NETWORKS: &[&str] = &["model.onnx", "model.rten"];

const LABELS: &str = "labels.txt";
const PARAMETERS: &str = "model.toml";

/// Contents of a model's files, not parsed yet.
pub(super) struct Files {
    /// Default name of the model; its parameters may override it.
    pub(super) name: String,
    /// Origin, for users.
    pub(super) place: String,
    /// Name of the network's file.
    pub(super) network_name: &'static str,
    pub(super) network: Cow<'static, [u8]>,
    pub(super) labels: Cow<'static, str>,
    pub(super) parameters: Cow<'static, str>,
}

impl Files {
    /// Returns the embedded model.
    pub(super) fn embedded() -> Self {
        Self {
            name: "default".to_owned(),
            place: "part of the service".to_owned(),
            network_name: EMBEDDED_NETWORK_NAME,
            network: Cow::Borrowed(EMBEDDED_NETWORK),
            labels: Cow::Borrowed(EMBEDDED_LABELS),
            parameters: Cow::Borrowed(EMBEDDED_PARAMETERS),
        }
    }

    /// Reads a model from a directory, if its size is within the memory limit.
    ///
    /// # Errors
    /// If a file is missing, unreadable or too large.
    pub(super) fn read(directory: &Path, memory_limit: u64) -> Result<Self, ModelError> {
        let found = NETWORKS.iter().find(|name| directory.join(name).is_file());
        let network_name = *found.ok_or_else(|| ModelError::Missing(directory.to_owned()))?;
        let path = directory.join(network_name);
        let unreadable = |source| ModelError::Unreadable { path: path.clone(), source };
        let size = fs::metadata(&path).map_err(unreadable)?.len();
        memory::claim(memory::to_load(size), memory_limit)?;
        let network = fs::read(&path).map_err(unreadable)?;
        let labels = text(&directory.join(LABELS))?.ok_or_else(|| ModelError::WithoutLabels(directory.to_owned()))?;
        Ok(Self {
            name: directory.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            place: directory.display().to_string(),
            network_name,
            network: Cow::Owned(network),
            labels: Cow::Owned(labels),
            parameters: Cow::Owned(text(&directory.join(PARAMETERS))?.unwrap_or_default()),
        })
    }
}

/// Reads a text file; `None` if it does not exist.
fn text(path: &Path) -> Result<Option<String>, ModelError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ModelError::Unreadable { path: path.to_owned(), source }),
    }
}
