//! Replacing a component when its file is replaced.

use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use crate::digest::Digest;
use crate::engine::{Engine, Module};
use crate::error::ReplaceError;
use crate::output_binding::WasmOutputBinding;
use crate::secrets::WasmSecretStore;
use crate::state::WasmStateStore;

/// How often a file is looked at. Soon enough for a person who has just built it.
const INTERVAL: Duration = Duration::from_millis(500);

/// What goes on with another module.
pub(super) trait Replaceable: Send + Sync + 'static {
    /// Puts the module in the place of the one before.
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

/// What shows that a file is another one than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    modified: Option<SystemTime>,
    length: u64,
}

/// The version of the file now; none where it is not there.
pub(super) async fn version(path: &Path) -> Option<Version> {
    let found = tokio::fs::metadata(path).await.ok()?;
    Some(Version { modified: found.modified().ok(), length: found.len() })
}

/// Looks at the file until what it became is gone, and puts each new version in the place of the old one. One that does not load
/// is told of, once, and changes nothing: it may be half written still, and then the next look finds it whole.
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
            Ok(()) => tracing::info!(%module, "a component was replaced, and so is what runs"),
            Err(error) => {
                tracing::error!(%module, %error, "a component was replaced by one that does not load; the old one runs on")
            }
        }
    }
}

async fn replace(
    engine: &Engine,
    path: &Path,
    digest: Option<Digest>,
    running: &impl Replaceable,
) -> Result<(), building_blocks::BoxError> {
    let module = engine.load(path, digest).await?;
    Ok(running.replace(&module).await?)
}
