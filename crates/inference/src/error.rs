//! Errors of loading graphs, and of guests' requests.

use std::io;

/// Reason why a file could not be loaded as a graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The file cannot be read.
    #[error("the graph cannot be read: {0}")]
    Read(#[source] io::Error),
    /// RTen cannot load it.
    #[error("not a supported ONNX graph: {0}")]
    Load(String),
    /// The build has no wasi-nn support.
    #[error("this program is built without wasi-nn (its feature `wasi-nn`), so it cannot compute graphs")]
    Disabled,
}

/// Error returned to a guest.
///
/// Each ABI has an error code for each kind; the WIT interface also passes the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NnError {
    /// Invalid argument from the guest.
    #[error("{0}")]
    InvalidArgument(String),
    /// Unsupported kind of graph.
    #[error("{0}")]
    InvalidEncoding(String),
    /// Computing the graph failed.
    #[error("{0}")]
    RuntimeError(String),
    /// The limit of a guest would be exceeded.
    #[error("{0}")]
    TooLarge(String),
    /// Unknown graph.
    #[error("{0}")]
    NotFound(String),
}

impl NnError {
    pub(crate) fn invalid_argument(text: impl Into<String>) -> Self {
        Self::InvalidArgument(text.into())
    }
}
