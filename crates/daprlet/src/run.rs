//! `daprlet run`.

mod apps;
mod banner;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use app_runtime::{Host, HostSettings, RunningApp};
use building_blocks::Secret;
use building_blocks::component::Context;
use tokio_util::sync::CancellationToken;
use wasmedge_guest::Engine;

use crate::cli::Run;
use crate::log::{self, AppLines};
use crate::{components, page, shutdown};

/// How long the end may take after it was asked for, before what is left is dropped.
const GRACE: Duration = Duration::from_millis(1700);

/// Starts everything and waits for the end.
pub(crate) async fn run(arguments: Run) -> anyhow::Result<()> {
    log::init(arguments.log_format, &arguments.log_level).context("--log-level")?;
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let cache = cache(&arguments, &environment);
    let registry = Arc::new(components::registry(&cache));
    let apps = apps::read(&arguments, &environment, &registry)?;
    let end = CancellationToken::new();
    tokio::spawn(shutdown::on_signal(end.clone()));
    let host = Host::new(
        HostSettings {
            engine: Arc::new(Engine::new(Some(cache.clone()))?),
            cache: Some(cache),
            registry,
            context: Context {
                app_id: String::new(),
                namespace: environment.get("NAMESPACE").cloned().unwrap_or_default(),
                base_dir: std::env::current_dir().context("the current folder")?,
                environment: Arc::new(
                    environment.into_iter().map(|(name, value)| (name, Secret::from(value))).collect(),
                ),
            },
            listen_address: arguments.listen_address,
            allow: arguments.allow_outbound.clone(),
            log: Arc::new(AppLines::new(arguments.log_format)),
        },
        end.clone(),
    );
    let started = end.run_until_cancelled(start(&host, apps)).await;
    if let Some(running) = started {
        let running = running?;
        let page = match arguments.page {
            Some(folder) => {
                let address = SocketAddr::new(arguments.listen_address, arguments.page_port);
                Some(page::serve(folder, address, end.clone()).await?)
            }
            None => None,
        };
        if end.run_until_cancelled(all_ready(&running)).await.is_some() {
            banner::tell(arguments.log_format, &running, page);
        }
        end.cancelled().await;
    }
    // Guests hold nothing that an abrupt end could spoil, so what does not end in time is dropped.
    let _ = tokio::time::timeout(GRACE, host.ended()).await;
    Ok(())
}

async fn start(host: &Host, apps: Vec<app_runtime::App>) -> anyhow::Result<Vec<RunningApp>> {
    let mut running = Vec::new();
    for app in apps {
        running.push(host.start(app).await?);
    }
    Ok(running)
}

async fn all_ready(running: &[RunningApp]) {
    for app in running {
        app.sidecar.health().ready().await;
    }
}

/// `--cache`, or `daprlet` in the folder that XDG names.
fn cache(arguments: &Run, environment: &BTreeMap<String, String>) -> PathBuf {
    let given = arguments.cache.clone();
    given.unwrap_or_else(|| {
        let folder = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let caches = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
        caches.unwrap_or_else(std::env::temp_dir).join("daprlet/modules")
    })
}
