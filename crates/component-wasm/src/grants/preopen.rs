//! Directories, in the syntax of WasmEdge's and wasmtime's command lines.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A directory of the host that a component may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preopen {
    /// Path on the host.
    pub host: PathBuf,
    /// Path in the component.
    pub guest: String,
    /// True if the component is denied writing.
    pub read_only: bool,
}

/// An error for text that does not describe a directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no directory to allow: write GUEST:HOST or GUEST:HOST:readonly")]
pub struct PreopenError(String);

impl FromStr for Preopen {
    type Err = PreopenError;

    fn from_str(text: &str) -> Result<Self, PreopenError> {
        let bad = || PreopenError(text.to_owned());
        let (guest, host) = text.split_once(':').ok_or_else(bad)?;
        let (host, read_only) = host.strip_suffix(":readonly").map_or((host, false), |host| (host, true));
        if guest.is_empty() || host.is_empty() {
            return Err(bad());
        }
        Ok(Self { host: host.into(), guest: guest.to_owned(), read_only })
    }
}

impl Preopen {
    /// Resolves a relative path on the host against `base`.
    #[must_use]
    pub fn below(self, base: &Path) -> Self {
        Self { host: base.join(&self.host), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preopen_has_two_paths_and_may_be_read_only() {
        let folder: Preopen = "data:store/data".parse().unwrap();
        assert_eq!(folder, Preopen { host: "store/data".into(), guest: "data".into(), read_only: false });
        let folder = "/m:models:readonly".parse::<Preopen>().unwrap().below(Path::new("/base"));
        assert_eq!(folder, Preopen { host: "/base/models".into(), guest: "/m".into(), read_only: true });
        for wrong in ["", "data", ":data", "data:", "data::readonly"] {
            assert_eq!(wrong.parse::<Preopen>(), Err(PreopenError(wrong.to_owned())));
        }
    }
}
