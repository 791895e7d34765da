//! Who computes: RTen in this program, or the host through `wasi-nn`.

use rten::Value;
use serde::Serialize;

use super::ModelError;
#[cfg(feature = "wasi-nn")]
use super::wasi_nn::HostGraph;

/// A network that is ready to be asked.
pub(super) enum Network {
    /// Part of this program's memory.
    Guest(rten::Model),
    /// The host's.
    #[cfg(feature = "wasi-nn")]
    Host(HostGraph),
}

/// Who computes, and why it is nobody better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Computes {
    /// Who.
    #[serde(rename = "computes")]
    pub by: By,
    /// Why the service computes itself.
    #[serde(rename = "computes_reason", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The service itself.
    Guest,
    /// The host, on all its cores.
    WasiNn,
}

impl std::fmt::Display for Computes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.by, &self.reason) {
            (By::WasiNn, _) => f.write_str("computed by the host through wasi-nn"),
            (By::Guest, Some(reason)) => write!(f, "computed in the service: {reason}"),
            (By::Guest, None) => f.write_str("computed in the service"),
        }
    }
}

impl Network {
    /// The network's output for an input.
    ///
    /// # Errors
    /// When it fails.
    pub(super) fn run(&self, input: Value) -> Result<Value, ModelError> {
        match self {
            Self::Guest(network) => {
                network.run_one(input.into(), None).map_err(|error| ModelError::Run(error.to_string()))
            }
            #[cfg(feature = "wasi-nn")]
            Self::Host(graph) => graph.run(&input).map_err(ModelError::Run),
        }
    }

    pub(super) const fn by(&self) -> By {
        match self {
            Self::Guest(_) => By::Guest,
            #[cfg(feature = "wasi-nn")]
            Self::Host(_) => By::WasiNn,
        }
    }
}
