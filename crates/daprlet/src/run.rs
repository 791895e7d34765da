//! `daprlet run`.

mod apps;
mod banner;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use app_runtime::{Host, HostSettings, RunningApp};
use tokio_util::sync::CancellationToken;
use wasmedge_guest::Engine;

use crate::cli::{Process, Run};
use crate::environment::Environment;
use crate::log::{self, AppLines};
use crate::{components, page, shutdown};

/// How long the end may take after it was asked for, before what is left is dropped.
const GRACE: Duration = Duration::from_millis(1700);

/// Starts everything and waits for the end.
pub(crate) async fn run(arguments: Run) -> anyhow::Result<()> {
    let Process { log_format, log_level, cache } = &arguments.process;
    let log_format = *log_format;
    log::init(log_format, log_level).context("--log-level")?;
    arguments.without_effect.tell();
    let environment = Environment::of_process();
    let cache = environment.cache(cache.clone());
    let registry = Arc::new(components::registry(&cache, &environment).await);
    let apps = apps::read(&arguments, &environment.variables, &registry)?;
    let end = CancellationToken::new();
    tokio::spawn(shutdown::on_signal(end.clone()));
    let host = Host::new(
        HostSettings {
            engine: Arc::new(Engine::new(Some(cache.clone()))?),
            cache: Some(cache),
            registry,
            context: environment.context()?,
            listen_address: arguments.listen_address,
            allow: arguments.allow_outbound.clone(),
            log: Arc::new(AppLines::new(log_format)?),
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
            banner::tell(log_format, &running, page);
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
