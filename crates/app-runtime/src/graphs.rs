//! The networks that a guest may ask, as its command line names them.

use std::path::PathBuf;
use std::sync::Arc;

use inference::{Graphs, Library};

use crate::app::{App, Command};
use crate::error::StartError;

/// How `wasmedge` names one.
const PRELOAD: &str = "--nn-preload NAME:ONNX:CPU:FILE";

/// How `wasmtime serve` names one.
#[cfg(feature = "component-apps")]
const NN_GRAPH: &str = "-S nn,nn-graph=onnx::FOLDER";

/// Loads what the application's command line names, as far as it is not loaded already for somebody else.
///
/// # Errors
/// When a file is missing, or no network.
pub(crate) async fn load(library: &Arc<Library>, app: &App) -> Result<Arc<Graphs>, StartError> {
    let (flag, named) = named(&app.command);
    let mut graphs = Vec::new();
    for (name, file) in named {
        let path = app.working_dir.join(file);
        let (library, file) = (library.clone(), path.clone());
        let loaded = tokio::task::spawn_blocking(move || library.load(&file)).await.map_err(StartError::Task)?;
        let graph = loaded.map_err(|source| StartError::Graph { app: app.id.clone(), path, source })?;
        graphs.push((name.clone(), graph));
    }
    Ok(Arc::new(Graphs::new(app.id.clone(), flag, graphs)))
}

/// Networks by name and file, and the flag that would name one more.
fn named(command: &Command) -> (&'static str, &[(String, PathBuf)]) {
    match command {
        Command::WasmEdge(command) => (PRELOAD, &command.graphs),
        #[cfg(feature = "component-apps")]
        Command::Serve(command) => (NN_GRAPH, &command.graphs),
        Command::Process(_) | Command::None => (PRELOAD, &[]),
    }
}
