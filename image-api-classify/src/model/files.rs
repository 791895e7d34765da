//! The files of a model: of a folder, or of the one that is part of this program.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{ModelError, memory};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// What a network's file may be called; the first that is there counts.
const NETWORKS: &[&str] = &["model.onnx", "model.rten"];

const LABELS: &str = "labels.txt";
const PARAMETERS: &str = "model.toml";

/// Everything that a model is made of, unread.
pub(super) struct Files {
    /// What the model is called where its parameters do not say.
    pub(super) name: String,
    /// Where it is from, for people.
    pub(super) place: String,
    /// The name of the network's file.
    pub(super) network_name: &'static str,
    pub(super) network: Cow<'static, [u8]>,
    pub(super) labels: Cow<'static, str>,
    pub(super) parameters: Cow<'static, str>,
}

impl Files {
    /// The model that was built into this program.
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

    /// The model in a folder, if it may take that much memory.
    ///
    /// # Errors
    /// When a file is missing, unreadable or too large.
    pub(super) fn of(folder: &Path, memory_limit: u64) -> Result<Self, ModelError> {
        let found = NETWORKS.iter().find(|name| folder.join(name).is_file());
        let network_name = *found.ok_or_else(|| ModelError::Missing(folder.to_owned()))?;
        let path = folder.join(network_name);
        let unreadable = |source| ModelError::Unreadable { path: path.clone(), source };
        let size = fs::metadata(&path).map_err(unreadable)?.len();
        memory::claim(memory::to_load(size), memory_limit)?;
        let network = fs::read(&path).map_err(unreadable)?;
        let labels = text(&folder.join(LABELS))?.ok_or_else(|| ModelError::WithoutLabels(folder.to_owned()))?;
        Ok(Self {
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            place: folder.display().to_string(),
            network_name,
            network: Cow::Owned(network),
            labels: Cow::Owned(labels),
            parameters: Cow::Owned(text(&folder.join(PARAMETERS))?.unwrap_or_default()),
        })
    }
}

/// A text file, unless it is missing.
fn text(path: &Path) -> Result<Option<String>, ModelError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ModelError::Unreadable { path: path.to_owned(), source }),
    }
}
