//! Models that a guest may run, as named by its command line.

use std::path::PathBuf;
use std::sync::Arc;

use inference::Graphs;

use super::WorkloadContext;
use crate::error::StartError;

/// Loads models by name and file; files loaded before are shared. `flag` is the option that would add one.
///
/// # Errors
/// When a file is missing, or not a model.
pub(crate) async fn load(
    context: &WorkloadContext,
    flag: &'static str,
    named: &[(String, PathBuf)],
) -> Result<Arc<Graphs>, StartError> {
    let app = &context.spec.id;
    let mut graphs = Vec::new();
    for (name, file) in named {
        let path = context.spec.workload.working_dir.join(file);
        let (library, file) = (context.library.clone(), path.clone());
        let loaded = tokio::task::spawn_blocking(move || library.load(&file)).await.map_err(StartError::Task)?;
        let graph = loaded.map_err(|source| StartError::Graph { app: app.clone(), path, source })?;
        graphs.push((name.clone(), graph));
    }
    Ok(Arc::new(Graphs::new(app.clone(), flag, graphs)))
}
