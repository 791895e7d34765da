//! Replaces a component when its file is replaced.

use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use crate::digest::Digest;
use crate::engine::{Engine, Module};
use crate::error::ReplaceError;
use crate::output_binding::WasmOutputBinding;
use crate::secrets::WasmSecretStore;
use crate::state::WasmStateStore;

/// Interval between checks of a file; soon enough for a developer who has just built it.
const INTERVAL: Duration = Duration::from_millis(500);

/// A component that can continue with another module.
pub(super) trait Replaceable: Send + Sync + 'static {
    /// Replaces the module.
    fn replace(&self, module: &Module) -> impl Future<Output = Result<(), ReplaceError>> + Send;
}

impl Replaceable for WasmStateStore {
    async fn replace(&self, module: &Module) -> Result<(), ReplaceError> {
        self.replace(module).await
    }
}

impl Replaceable for WasmSecretStore {
    async fn replace(&self, module: &Module) -> Result<(), ReplaceError> {
        self.replace(module).await
    }
}

impl Replaceable for WasmOutputBinding {
    async fn replace(&self, module: &Module) -> Result<(), ReplaceError> {
        self.replace(module).await
    }
}

/// The identity of a file's content: modification time and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    modified: Option<SystemTime>,
    length: u64,
}

/// Reads the version of the file; `None` if it is missing.
pub(super) async fn version(path: &Path) -> Option<Version> {
    let found = tokio::fs::metadata(path).await.ok()?;
    Some(Version { modified: found.modified().ok(), length: found.len() })
}

/// Watches the file while the component exists, and replaces the component with each new version.
///
/// A version that does not load is logged once and changes nothing: it may be half written, and the next check finds it
/// complete.
pub(super) async fn watch<T: Replaceable>(
    engine: Engine,
    path: PathBuf,
    digest: Option<Digest>,
    mut loaded: Option<Version>,
    running: Weak<T>,
) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(running) = running.upgrade() else { return };
        let found = version(&path).await;
        if found.is_none() || found == loaded {
            continue;
        }
        loaded = found;
        let module = path.display();
        match replace(&engine, &path, digest, running.as_ref()).await {
            Ok(()) => tracing::info!(%module, "component replaced"),
            Err(error) => {
                tracing::error!(%module, %error, "new component does not load; keeping the old one")
            }
        }
    }
}

async fn replace(
    engine: &Engine,
    path: &Path,
    digest: Option<Digest>,
    running: &impl Replaceable,
) -> Result<(), dapr_building_blocks::BoxError> {
    let module = engine.load(path, digest).await?;
    Ok(running.replace(&module).await?)
}
