//! All graphs of a process, each loaded once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::error::GraphError;
use crate::graph::{Content, Digest, Graph, Workers};

/// Loads graphs, and gives whoever asks for the same content the same graph.
#[derive(Default)]
pub struct Library {
    loaded: Mutex<HashMap<Digest, Weak<Graph>>>,
    /// There are no threads before there is a graph.
    workers: OnceLock<Arc<Workers>>,
}

impl Library {
    /// The graph in a file. Takes seconds for a large one: call it where blocking is allowed.
    ///
    /// # Errors
    /// When the file cannot be read, or is no graph.
    pub fn load(&self, path: &Path) -> Result<Arc<Graph>, GraphError> {
        let content = Content::read(path)?;
        let digest = content.digest;
        // Held while it is loaded, so that the second who asks waits for the first.
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
