//! A Wasm component, and what the one who serves it grants to it.

use std::path::PathBuf;

use building_blocks::Properties;
use clap::Args;

/// The flags that say which module is served, and within which limits.
#[derive(Debug, Args)]
pub(super) struct Module {
    /// A Wasm component of the contract in wit/components.
    #[arg(long, value_name = "FILE", conflicts_with = "type_", required_unless_present = "type_")]
    pub(super) module: Option<PathBuf>,

    /// The SHA-256 that the module must have.
    #[arg(long, value_name = "HEX", requires = "module")]
    sha256: Option<String>,

    /// Addresses that the module may connect to: HOST:PORT or HOST:*, with commas between them. None by default.
    #[arg(long, value_name = "LIST", requires = "module")]
    allow_hosts: Option<String>,

    /// Folders that the module sees: NAME:FOLDER or NAME:FOLDER:readonly, with commas between them. None by default.
    #[arg(long, value_name = "LIST", requires = "module")]
    allow_dirs: Option<String>,

    /// Variables of the environment that the module sees, with commas between them. None by default.
    #[arg(long, value_name = "LIST", requires = "module")]
    allow_env: Option<String>,

    /// The most memory of one instance.
    #[arg(long, value_name = "SIZE", default_value = "256Mi")]
    memory_limit: String,

    /// How long one call may take.
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    call_timeout: String,

    /// The most instances, where the component may have many.
    #[arg(long, value_name = "NUMBER", default_value = "8")]
    instances: String,
}

impl Module {
    /// The same as properties of a component YAML; none where no module is served.
    pub(super) fn properties(&self) -> Properties {
        let Some(module) = &self.module else { return Properties::default() };
        let given = [
            ("module", Some(module.display().to_string())),
            ("sha256", self.sha256.clone()),
            ("allowHosts", self.allow_hosts.clone()),
            ("allowDirs", self.allow_dirs.clone()),
            ("allowEnv", self.allow_env.clone()),
            ("memoryLimit", Some(self.memory_limit.clone())),
            ("callTimeout", Some(self.call_timeout.clone())),
            ("instances", Some(self.instances.clone())),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
