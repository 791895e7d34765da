//! Follows changes of the applications' resource and Configuration files while they run.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use dapr_building_blocks::Registry;
use dapr_resources::run_template::AppEntry;
use dapr_resources::{ConfigErrors, resources};
use daprlet_host::Host;

use super::apps;
use crate::cli::Run;
use crate::environment::Environment;

/// Time between two looks at the files. A change is applied once it is the same at two of them, so that a file is
/// not read while it is written.
const INTERVAL: Duration = Duration::from_millis(300);

/// Time and size of a file, which tell its versions apart.
type Version = (Option<SystemTime>, u64);

/// Versions of all files of an application.
type Versions = BTreeMap<PathBuf, Version>;

/// An application whose files are followed.
struct Watched {
    entry: AppEntry,
    /// Versions that were applied, or refused.
    applied: Versions,
    /// Versions at the last look.
    seen: Versions,
}

/// Applies changes of the files of `entries` to the applications of `host`, for ever.
///
/// A change with mistakes is told, and changes nothing.
pub(super) async fn follow(
    entries: Vec<AppEntry>,
    arguments: &Run,
    environment: &Environment,
    registry: &Registry,
    host: &Host,
) -> Infallible {
    let mut watched: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            let versions = versions(&entry);
            Watched { entry, applied: versions.clone(), seen: versions }
        })
        .collect();
    loop {
        tokio::time::sleep(INTERVAL).await;
        let looked = tokio::task::spawn_blocking(move || {
            let changed: Vec<_> = watched.iter_mut().filter_map(Watched::look).collect();
            (watched, changed)
        });
        let Ok((again, changed)) = looked.await else { return std::future::pending().await };
        watched = again;
        reload(changed, arguments, environment, registry, host).await;
    }
}

impl Watched {
    /// Looks at the files; returns the application if they have changed and are no longer changing.
    fn look(&mut self) -> Option<AppEntry> {
        let before = std::mem::replace(&mut self.seen, versions(&self.entry));
        let is_changed = self.seen != self.applied && self.seen == before;
        is_changed.then(|| {
            self.applied.clone_from(&self.seen);
            self.entry.clone()
        })
    }
}

/// Returns the versions of an application's files. Those that cannot be read are told when they are loaded.
fn versions(entry: &AppEntry) -> Versions {
    let resources = entry.resources_paths.iter().flat_map(|folder| resources::files(folder).unwrap_or_default());
    let version = |path: PathBuf| {
        let version = path.metadata().map(|file| (file.modified().ok(), file.len()));
        (path, version.unwrap_or_default())
    };
    resources.chain(entry.config_files.iter().cloned()).map(version).collect()
}

/// Reads the files of applications again.
async fn reload(entries: Vec<AppEntry>, arguments: &Run, environment: &Environment, registry: &Registry, host: &Host) {
    let mut errors = ConfigErrors::default();
    let read: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| apps::app(entry, arguments, &environment.variables, registry, &mut errors))
        .collect();
    if arguments.strict {
        errors.be_strict();
    }
    match errors.into_result() {
        Ok(warnings) => {
            super::warn_without_effect(warnings.iter().map(ToString::to_string).collect());
            for spec in read {
                host.reload(spec).await;
            }
        }
        Err(errors) => tracing::error!("changed files not loaded, the old ones stay: {errors}"),
    }
}
