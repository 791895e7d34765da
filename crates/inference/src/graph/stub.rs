//! Stub of graphs for builds without RTen.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use crate::error::{GraphError, NnError};
use crate::tensor::{ComputeResult, Tensor};

pub(crate) struct Workers;

impl Workers {
    pub(crate) const fn new() -> Self {
        Self
    }
}

pub(crate) type Digest = [u8; 32];

pub(crate) struct Content {
    pub(crate) digest: Digest,
}

impl Content {
    pub(crate) fn read(_: &Path) -> Result<Self, GraphError> {
        Err(GraphError::Disabled)
    }
}

/// Loaded network; never exists in this build.
#[derive(Debug)]
pub struct Graph(Infallible);

/// Checked tensor; never exists in this build.
#[derive(Clone)]
pub struct Input(Infallible);

impl Graph {
    pub(crate) fn load(_: Content, _: Arc<Workers>) -> Result<Self, GraphError> {
        Err(GraphError::Disabled)
    }

    pub(crate) fn has_content(&self, _: &[u8]) -> bool {
        match self.0 {}
    }

    /// Returns the number of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        match self.0 {}
    }

    /// Returns the index of the input with the given name.
    #[must_use]
    pub fn input_index(&self, _: &str) -> Option<usize> {
        match self.0 {}
    }

    /// Checks a tensor against the input at an index.
    ///
    /// # Errors
    /// Never, as no graph exists.
    pub fn input(&self, _: usize, _: &Tensor) -> Result<Input, NnError> {
        match self.0 {}
    }

    /// Computes the graph.
    ///
    /// # Errors
    /// Never, as no graph exists.
    pub async fn compute(self: &Arc<Self>, inputs: Vec<Option<Input>>) -> Result<ComputeResult, NnError> {
        drop(inputs);
        match self.0 {}
    }
}
