//! Folders, written as WasmEdge and wasmtime have them on their command lines.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A folder of the host that a component may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is on the host.
    pub host: PathBuf,
    /// What the component calls it.
    pub guest: String,
    /// Whether the component may only read.
    pub read_only: bool,
}

/// A text that names no folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no folder to allow: write GUEST:HOST or GUEST:HOST:readonly")]
pub struct FolderError(String);

impl FromStr for Folder {
    type Err = FolderError;

    fn from_str(text: &str) -> Result<Self, FolderError> {
        let bad = || FolderError(text.to_owned());
        let (guest, host) = text.split_once(':').ok_or_else(bad)?;
        let (host, read_only) = host.strip_suffix(":readonly").map_or((host, false), |host| (host, true));
        if guest.is_empty() || host.is_empty() {
            return Err(bad());
        }
        Ok(Self { host: host.into(), guest: guest.to_owned(), read_only })
    }
}

impl Folder {
    /// The same folder, taken from `base` if its path on the host is relative.
    #[must_use]
    pub fn below(self, base: &Path) -> Self {
        Self { host: base.join(&self.host), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_two_names_and_may_be_read_only() {
        let folder: Folder = "data:store/data".parse().unwrap();
        assert_eq!(folder, Folder { host: "store/data".into(), guest: "data".into(), read_only: false });
        let folder = "/m:models:readonly".parse::<Folder>().unwrap().below(Path::new("/base"));
        assert_eq!(folder, Folder { host: "/base/models".into(), guest: "/m".into(), read_only: true });
        for wrong in ["", "data", ":data", "data:", "data::readonly"] {
            assert_eq!(wrong.parse::<Folder>(), Err(FolderError(wrong.to_owned())));
        }
    }
}
