//! Flags that select a Wasm component and set its grants and limits.

use std::path::PathBuf;

use clap::Args;
use dapr_building_blocks::Properties;

/// Flags that select the module to serve, and set its limits.
#[derive(Debug, Args)]
pub(super) struct Module {
    /// A Wasm component that implements the contract in wit/components.
    #[arg(long, value_name = "FILE", conflicts_with = "type_", required_unless_present = "type_")]
    pub(super) module: Option<PathBuf>,

    /// The required SHA-256 of the module.
    #[arg(long, value_name = "HEX", requires = "module")]
    sha256: Option<String>,

    /// Addresses that the module may connect to: HOST:PORT or HOST:*, separated by commas. Default: none.
    #[arg(long, value_name = "LIST", requires = "module")]
    allow_hosts: Option<String>,

    /// Directories shared with the module: NAME:DIRECTORY or NAME:DIRECTORY:readonly, separated by commas. Default:
    /// none.
    #[arg(long, value_name = "LIST", requires = "module")]
    allow_dirs: Option<String>,

    /// Environment variables visible to the module, separated by commas. Default: none.
    #[arg(long, value_name = "LIST", requires = "module")]
    allow_env: Option<String>,

    /// The memory limit of one instance.
    #[arg(long, value_name = "SIZE", default_value = "256Mi")]
    memory_limit: String,

    /// The timeout of one call.
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    call_timeout: String,

    /// The limit on instances, for components that support several.
    #[arg(long, value_name = "NUMBER", default_value = "8")]
    instances: String,
}

impl Module {
    /// Returns the flags as properties of a component YAML; empty if no module is served.
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
