//! Graphs that one application may use.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::NnError;
use crate::graph::Graph;
use crate::limits;

/// Limit on the different denials of one application that are logged; each is logged once.
const MAX_LOGGED_DENIALS: usize = 8;

/// Graphs by the names that the operator gave them.
#[derive(Debug, Default)]
pub struct Graphs {
    app: String,
    /// Flag with which the operator names a graph.
    flag: &'static str,
    named: Vec<(String, Arc<Graph>)>,
    logged_denials: Mutex<BTreeSet<String>>,
}

impl Graphs {
    /// Creates the graphs of `app`. `flag` is the one with which the operator names a graph.
    #[must_use]
    pub fn new(app: String, flag: &'static str, named: Vec<(String, Arc<Graph>)>) -> Self {
        Self { app, flag, named, logged_denials: Mutex::default() }
    }

    /// Returns the graph with that name; of several, the one named last.
    ///
    /// # Errors
    /// When there is none.
    pub fn by_name(&self, name: &str) -> Result<Arc<Graph>, NnError> {
        if let Some((_, graph)) = self.named.iter().rev().find(|(known, _)| known == name) {
            return Ok(graph.clone());
        }
        if name.len() > limits::MAX_NAME_BYTES {
            return Err(NnError::NotFound("no graph has a name as long as this one".to_owned()));
        }
        Err(NnError::NotFound(format!("there is no graph {name:?}: {}", self.hint())))
    }

    /// Returns the named graph with the given content. A guest may pass a graph that it is allowed to use anyway.
    ///
    /// # Errors
    /// When no named graph has this content, which is logged.
    pub fn by_content(&self, parts: &[&[u8]]) -> Result<Arc<Graph>, NnError> {
        let [bytes] = parts else { return Err(NnError::invalid_argument("a graph is one sequence of bytes")) };
        if let Some((_, graph)) = self.named.iter().find(|(_, graph)| graph.has_content(bytes)) {
            return Ok(graph.clone());
        }
        self.log_denial(format!("wanted to load a graph of {} bytes of its own", bytes.len()));
        Err(NnError::NotFound(format!("no allowed graph has this content: {}", self.hint())))
    }

    fn hint(&self) -> String {
        format!("the operator names graphs with {}", self.flag)
    }

    /// Logs a denial once.
    fn log_denial(&self, denial: String) {
        let mut logged_denials = self.logged_denials.lock().unwrap_or_else(PoisonError::into_inner);
        if logged_denials.len() < MAX_LOGGED_DENIALS && logged_denials.insert(denial.clone()) {
            tracing::warn!(app = %self.app, "denied: {} {denial}; to allow it, start it with {}", self.app, self.flag);
        }
    }
}
