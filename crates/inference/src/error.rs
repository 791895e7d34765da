//! Why a graph cannot be had, and why a guest is refused.

use std::io;

/// Why a file is no graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The file cannot be read.
    #[error("the graph cannot be read: {0}")]
    Read(#[source] io::Error),
    /// RTen does not understand it.
    #[error("this is no graph that can be computed here, which takes ONNX: {0}")]
    Load(String),
    /// Nothing computes graphs.
    #[error("this program is built without wasi-nn (its feature `wasi-nn`), so it computes no graph")]
    Without,
}

/// Why a guest does not get what it asks for; each ABI has a number for each kind, and the WIT one the words, too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The guest made a mistake.
    #[error("{0}")]
    InvalidArgument(String),
    /// A graph of that kind is computed by nobody here.
    #[error("{0}")]
    InvalidEncoding(String),
    /// The graph failed.
    #[error("{0}")]
    RuntimeError(String),
    /// It would be more than one guest may have.
    #[error("{0}")]
    TooLarge(String),
    /// There is no such graph.
    #[error("{0}")]
    NotFound(String),
}

impl Refusal {
    pub(crate) fn argument(text: impl Into<String>) -> Self {
        Self::InvalidArgument(text.into())
    }
}
