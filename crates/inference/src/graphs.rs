//! The graphs that one application may ask.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Refusal;
use crate::graph::Graph;
use crate::limits;

/// How many different refusals of one application are logged; each is logged once.
const TOLD: usize = 8;

/// Graphs with the names that the operator gave them.
#[derive(Debug, Default)]
pub struct Graphs {
    app: String,
    /// The flag that would name one more, as the operator would write it.
    flag: &'static str,
    named: Vec<(String, Arc<Graph>)>,
    told: Mutex<BTreeSet<String>>,
}

impl Graphs {
    /// The graphs of `app`; `flag` is how the operator names one.
    #[must_use]
    pub fn new(app: String, flag: &'static str, named: Vec<(String, Arc<Graph>)>) -> Self {
        Self { app, flag, named, told: Mutex::default() }
    }

    /// The graph of that name; of several the one that was named last.
    ///
    /// # Errors
    /// When there is none.
    pub fn by_name(&self, name: &str) -> Result<Arc<Graph>, Refusal> {
        if let Some((_, graph)) = self.named.iter().rev().find(|(known, _)| known == name) {
            return Ok(graph.clone());
        }
        if name.len() > limits::NAME {
            return Err(Refusal::NotFound("no graph has a name as long as this one".to_owned()));
        }
        Err(Refusal::NotFound(format!("there is no graph {name:?}: {}", self.hint())))
    }

    /// The named graph that consists of those bytes: a guest may bring along what it is allowed to ask anyway.
    ///
    /// # Errors
    /// When the bytes are of no named graph, which is logged.
    pub fn by_content(&self, parts: &[&[u8]]) -> Result<Arc<Graph>, Refusal> {
        let [bytes] = parts else { return Err(Refusal::argument("a graph is one sequence of bytes")) };
        if let Some((_, graph)) = self.named.iter().find(|(_, graph)| graph.is_of(bytes)) {
            return Ok(graph.clone());
        }
        self.tell(format!("wanted to load a graph of {} bytes of its own", bytes.len()));
        Err(Refusal::NotFound(format!("these bytes are of no graph that may be computed: {}", self.hint())))
    }

    fn hint(&self) -> String {
        format!("the operator names graphs with {}", self.flag)
    }

    /// Says so to the operator, once.
    fn tell(&self, what: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD && told.insert(what.clone()) {
            tracing::warn!(app = %self.app, "denied: {} {what}; to allow it, start it with {}", self.app, self.flag);
        }
    }
}
