//! Replacing a component when its file is replaced.

use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use crate::digest::Digest;
use crate::engine::Engine;
use crate::state::WasmStateStore;

/// How often a file is looked at. Soon enough for a person who has just built it.
const INTERVAL: Duration = Duration::from_millis(500);

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

/// Looks at the file until the store is gone, and puts each new version in the place of the old one. One that does not load
/// is told of, once, and changes nothing: it may be half written still, and then the next look finds it whole.
pub(super) async fn watch(
    engine: Engine,
    path: PathBuf,
    digest: Option<Digest>,
    mut loaded: Option<Version>,
    store: Weak<WasmStateStore>,
) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(store) = store.upgrade() else { return };
        let found = version(&path).await;
        if found.is_none() || found == loaded {
            continue;
        }
        loaded = found;
        let module = path.display();
        match replace(&engine, &path, digest, &store).await {
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
    store: &WasmStateStore,
) -> Result<(), building_blocks::BoxError> {
    let module = engine.load(path, digest).await?;
    Ok(store.replace(&module).await?)
}
