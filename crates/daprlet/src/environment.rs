//! Environment of the process, and settings derived from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use dapr_building_blocks::Secret;
use dapr_building_blocks::component::Context;
use dapr_runtime::DocumentClient;
use daprlet_host::LocalRegistry;

/// Environment variables of the process.
pub(crate) struct Environment {
    pub(crate) variables: BTreeMap<String, String>,
}

impl Environment {
    pub(crate) fn from_process() -> Self {
        Self { variables: std::env::vars().collect() }
    }

    /// Returns a variable if it is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the context for components: namespace, working directory and environment.
    pub(crate) fn context(&self) -> anyhow::Result<Context> {
        let secrets = self.variables.iter().map(|(name, value)| (name.clone(), Secret::from(value.as_str())));
        Ok(Context {
            app_id: String::new(),
            namespace: self.get("NAMESPACE").unwrap_or_default().to_owned(),
            base_dir: std::env::current_dir().context("cannot read the current directory")?,
            environment: Arc::new(secrets.collect()),
            documents: Some(Arc::new(DocumentClient)),
        })
    }

    /// Opens the registry of this machine's applications: `given`, or else `daprlet` in the user's runtime directory.
    ///
    /// The value `none` disables it.
    pub(crate) fn local_registry(&self, given: Option<&Path>) -> anyhow::Result<Option<LocalRegistry>> {
        if let Some(given) = given {
            let opened = (given != Path::new("none")).then(|| LocalRegistry::open(given)).transpose();
            return opened.with_context(|| format!("--registry {}", given.display()));
        }
        let directory = match self.get("XDG_RUNTIME_DIR") {
            Some(directory) => Path::new(directory).join("daprlet"),
            None => std::env::temp_dir().join(format!("daprlet-{}", rustix::process::geteuid().as_raw())),
        };
        // Nobody asked for this default, so its failure must not prevent the start.
        let opened = LocalRegistry::open(&directory);
        Ok(opened.inspect_err(|error| tracing::debug!(%error, "no registry of applications")).ok())
    }

    /// Returns the cache directory for compiled modules: `given`, or `daprlet` in the XDG cache directory.
    pub(crate) fn cache(&self, given: Option<PathBuf>) -> PathBuf {
        given.unwrap_or_else(|| {
            let folder = |name: &str| self.get(name).map(PathBuf::from);
            let caches = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
            caches.unwrap_or_else(std::env::temp_dir).join("daprlet/modules")
        })
    }
}
