//! The environment of the process, and what follows from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
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

    /// Where compiled modules are kept: as given, or `daprlet` in the folder that XDG names.
    pub(crate) fn cache(&self, given: Option<PathBuf>) -> PathBuf {
        given.unwrap_or_else(|| {
            let folder = |name: &str| self.get(name).map(PathBuf::from);
            let caches = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
            caches.unwrap_or_else(std::env::temp_dir).join("daprlet/modules")
        })
    }
}
