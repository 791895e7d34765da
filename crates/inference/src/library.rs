//! All graphs of a process, each loaded once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::error::GraphError;
use crate::graph::{Content, Digest, Graph, Workers};

/// Loader of graphs, which shares graphs with the same content.
#[derive(Default)]
pub struct Library {
    loaded: Mutex<HashMap<Digest, Weak<Graph>>>,
    /// Created with the first graph, so that there are no idle threads without graphs.
    workers: OnceLock<Arc<Workers>>,
}

impl Library {
    /// Loads the graph in a file. Takes seconds for a large one, so call it where blocking is allowed.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a graph.
    pub fn load(&self, path: &Path) -> Result<Arc<Graph>, GraphError> {
        let content = Content::read(path)?;
        let digest = content.digest;
        // Held during loading, so that a concurrent load of the same file waits for this one.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(graph) = loaded.get(&digest).and_then(Weak::upgrade) {
            return Ok(graph);
        }
        let workers = self.workers.get_or_init(|| Arc::new(Workers::new()));
        let graph = Arc::new(Graph::load(content, workers.clone())?);
        loaded.insert(digest, Arc::downgrade(&graph));
        Ok(graph)
    }
}
