//! The environment of the process, and what follows from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use app_runtime::LocalRegistry;
use building_blocks::Secret;
use building_blocks::component::Context;

/// The variables that the process has.
pub(crate) struct Environment {
    pub(crate) variables: BTreeMap<String, String>,
}

impl Environment {
    pub(crate) fn of_process() -> Self {
        Self { variables: std::env::vars().collect() }
    }

    /// A variable that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What components are told of where they run.
    pub(crate) fn context(&self) -> anyhow::Result<Context> {
        let secrets = self.variables.iter().map(|(name, value)| (name.clone(), Secret::from(value.as_str())));
        Ok(Context {
            app_id: String::new(),
            namespace: self.get("NAMESPACE").unwrap_or_default().to_owned(),
            base_dir: std::env::current_dir().context("the current folder")?,
            environment: Arc::new(secrets.collect()),
        })
    }

    /// Opens the registry of this machine's applications: `given`, else `daprlet` in the user's runtime directory; `none` is none.
    pub(crate) fn local_registry(&self, given: Option<&Path>) -> anyhow::Result<Option<LocalRegistry>> {
        if let Some(given) = given {
            let opened = (given != Path::new("none")).then(|| LocalRegistry::open(given)).transpose();
            return opened.with_context(|| format!("--registry {}", given.display()));
        }
        let directory = match self.get("XDG_RUNTIME_DIR") {
            Some(directory) => Path::new(directory).join("daprlet"),
            None => std::env::temp_dir().join(format!("daprlet-{}", rustix::process::geteuid().as_raw())),
        };
        // Nobody has asked for it, so that a system without such a directory is no reason not to start.
        let opened = LocalRegistry::open(&directory);
        Ok(opened.inspect_err(|error| tracing::debug!(%error, "no registry of applications")).ok())
    }

    /// Where compiled modules are kept: as given, or `daprlet` in the folder that XDG names.
    pub(crate) fn cache(&self, given: Option<PathBuf>) -> PathBuf {
        given.unwrap_or_else(|| {
            let folder = |name: &str| self.get(name).map(PathBuf::from);
            let caches = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
            caches.unwrap_or_else(std::env::temp_dir).join("daprlet/modules")
        })
    }
}
