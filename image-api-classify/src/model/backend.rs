//! The inference backend: RTen in this program, or the host through `wasi-nn`.

use rten::Value;
use serde::Serialize;

use super::ModelError;
#[cfg(feature = "wasi-nn")]
use super::wasi_nn::HostGraph;

/// A network that is ready to run.
pub(super) enum Network {
    /// Runs in this program.
    Guest(rten::Model),
    /// Runs on the host.
    #[cfg(feature = "wasi-nn")]
    Host(HostGraph),
}

/// Inference backend, and why it is not the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inference {
    /// The backend.
    #[serde(rename = "computes")]
    pub by: Backend,
    /// Why the service computes itself.
    #[serde(rename = "computes_reason", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Kind of inference backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The service itself.
    Guest,
    /// The host, on all its cores.
    WasiNn,
}

impl std::fmt::Display for Inference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.by, &self.reason) {
            (Backend::WasiNn, _) => f.write_str("computed by the host through wasi-nn"),
            (Backend::Guest, Some(reason)) => write!(f, "computed in the service: {reason}"),
            (Backend::Guest, None) => f.write_str("computed in the service"),
        }
    }
}

impl Network {
    /// Runs the network.
    ///
    /// # Errors
    /// If it fails.
    pub(super) fn run(&self, input: Value) -> Result<Value, ModelError> {
        match self {
            Self::Guest(network) => {
                network.run_one(input.into(), None).map_err(|error| ModelError::Run(error.to_string()))
            }
            #[cfg(feature = "wasi-nn")]
            Self::Host(graph) => graph.run(&input).map_err(ModelError::Run),
        }
    }

    pub(super) const fn by(&self) -> Backend {
        match self {
            Self::Guest(_) => Backend::Guest,
            #[cfg(feature = "wasi-nn")]
            Self::Host(_) => Backend::WasiNn,
        }
    }
}
