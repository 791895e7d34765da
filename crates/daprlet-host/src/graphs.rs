//! Models that a guest may run, as named by its command line.

use std::path::PathBuf;
use std::sync::Arc;

use inference::{Graphs, Library};

use crate::app::{App, Command};
use crate::error::StartError;

/// Option of `wasmedge` that names a model.
const PRELOAD: &str = "--nn-preload NAME:ONNX:CPU:FILE";

/// Option of `wasmtime serve` that names a directory of models.
#[cfg(feature = "component-apps")]
const NN_GRAPH: &str = "-S nn,nn-graph=onnx::FOLDER";

/// Loads the models of the application's command line; files loaded before are shared.
///
/// # Errors
/// When a file is missing, or not a model.
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

/// Lists models by name and file, and the option that adds one.
fn named(command: &Command) -> (&'static str, &[(String, PathBuf)]) {
    match command {
        Command::WasmEdge(command) => (PRELOAD, &command.graphs),
        #[cfg(feature = "component-apps")]
        Command::Serve(command) => (NN_GRAPH, &command.graphs),
        Command::Process(_) | Command::None => (PRELOAD, &[]),
    }
}
