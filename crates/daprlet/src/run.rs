//! `daprlet run`.

mod apps;
mod banner;
mod readiness;
mod reload;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use dapr_resources::run_template::{AppEntry, LogDestination, RunTemplate};
use daprlet_host::{AppSpec, GuardCommand, Host, HostEvent, HostSettings};
use guest_wasmedge::Engine;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::cli::Run;
use crate::environment::Environment;
use crate::log::{AppLogTarget, Log};
use crate::{components, descriptors, page, shutdown};

/// Runs the applications until they end, and returns the exit code.
pub(crate) async fn run(arguments: Run) -> anyhow::Result<ExitCode> {
    arguments.without_effect.check()?;
    let environment = Environment::from_process();
    let template = apps::entries(&arguments, &environment)?;
    let filter = arguments.process.log_filter(most_verbose(&template.apps))?;
    let targets = template.apps.iter().map(|app| app_log(app, &arguments)).collect::<anyhow::Result<_>>()?;
    let log = Log::start(arguments.process.log_format(), filter, targets)?;
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    crate::memory::start_trimming().context("cannot start the memory thread")?;
    let end = CancellationToken::new();
    tokio::spawn(shutdown::on_signals(end.clone())?);
    let ended = run_apps(&arguments, &environment, template, &log, end).await;
    log.flush();
    ended
}

async fn run_apps(
    arguments: &Run,
    environment: &Environment,
    template: RunTemplate,
    log: &Log,
    end: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let cache = environment.cache(arguments.process.cache.clone());
    let registry = Arc::new(components::registry(&cache, environment).await);
    let entries = template.apps.clone();
    let (mut apps, warnings) = apps::read(template, arguments, &environment.variables, &registry)?;
    warn_without_effect(arguments.without_effect.names().chain(warnings.iter().map(ToString::to_string)).collect());
    let limit = descriptors::raise_limit();
    let share = descriptors::default_share(limit, apps.len());
    let share = arguments.guest_descriptors.map_or(share, NonZeroUsize::get);
    apps.iter_mut().for_each(|app| app.workload.limits.descriptors = share);
    let settings = HostSettings {
        engine: Arc::new(Engine::new(Some(cache.clone()))?),
        cache: Some(cache),
        registry: registry.clone(),
        context: environment.context()?,
        listen_address: arguments.listen_address,
        allow: arguments.allow_outbound.clone(),
        log: Arc::new(log.clone()),
        graceful: Duration::from_secs(arguments.dapr_graceful_shutdown_seconds),
        guard: process_guard(),
        local_registry: environment.local_registry(arguments.registry.as_deref())?,
    };
    let (host, events) = Host::new(settings, end.clone());
    let ended = tokio::select! {
        biased;
        () = end.cancelled() => Ok(ExitCode::SUCCESS),
        ended = watch(events, arguments.run_file.is_none(), apps.len()) => ended,
        failed = async {
            serve(arguments, &host, apps, log, end.clone()).await?;
            Ok(reload::follow(entries, arguments, environment, &registry, &host).await)
        } => failed.map(|never: Infallible| match never {}),
    };
    host.end(Duration::from_secs(arguments.dapr_graceful_shutdown_seconds)).await;
    ended
}

/// Starts everything and reports when it is ready.
async fn serve(
    arguments: &Run,
    host: &Host,
    apps: Vec<AppSpec>,
    log: &Log,
    end: CancellationToken,
) -> anyhow::Result<()> {
    let about = Arc::new(page::About::new(&apps, arguments.page.as_deref()));
    let mut running = Vec::new();
    for app in apps {
        running.push(host.start(app).await?);
    }
    about.listening(&running);
    let page = match &arguments.page {
        Some(folder) => {
            let address = SocketAddr::new(arguments.listen_address, arguments.page_port);
            Some(page::serve(folder.clone(), address, about.clone(), end).await?)
        }
        None => None,
    };
    readiness::all_ready(&running).await;
    about.ready();
    banner::print(log, arguments.process.log_format(), &running, page);
    Ok(())
}

/// Waits for an event that ends the run.
///
/// That is an application that cannot start, a broken host, the exit of the only application, or the end of the last of
/// the `running` applications.
async fn watch(
    mut events: UnboundedReceiver<HostEvent>,
    is_only_app: bool,
    mut running: usize,
) -> anyhow::Result<ExitCode> {
    while let Some(event) = events.recv().await {
        match event {
            HostEvent::Exited { code, .. } if is_only_app => {
                return Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from));
            }
            HostEvent::ShutDown { .. } => {
                running = running.saturating_sub(1);
                if running == 0 {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            HostEvent::CannotStart(error) => return Err(error.into()),
            HostEvent::Broken { task } => bail!("internal error: the task {task:?} has panicked"),
            _ => {}
        }
    }
    std::future::pending().await
}

/// Warns about given settings that have no effect, in one list.
fn warn_without_effect(settings: Vec<String>) {
    match settings.as_slice() {
        [] => {}
        [one] => tracing::warn!("without effect: {one}"),
        several => tracing::warn!("{} settings are without effect:\n  {}", several.len(), several.join("\n  ")),
    }
}

/// Returns the `logLevel` of the template.
///
/// The applications share one log, so the most verbose level wins.
fn most_verbose(apps: &[AppEntry]) -> &str {
    const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "off"];
    let rank = |level: &&str| LEVELS.iter().position(|known| level.to_ascii_lowercase().starts_with(known));
    apps.iter().filter_map(|app| app.log_level.as_deref()).min_by_key(rank).unwrap_or("info")
}

/// Returns the destination of an application's lines.
fn app_log(app: &AppEntry, arguments: &Run) -> anyhow::Result<AppLogTarget> {
    let directory = (app.app_log_destination != LogDestination::Console).then(|| app.app_dir.join(".dapr/logs"));
    let is_on_console = app.app_log_destination != LogDestination::File;
    let budget = apps::log_budget(app, arguments)?;
    Ok(AppLogTarget { app: app.app_id.clone(), directory, is_on_console, budget })
}

/// Returns the command that runs this program as the guard of native applications' process groups.
fn process_guard() -> Option<GuardCommand> {
    let program = std::env::current_exe().context("this program's path");
    let program = program.inspect_err(|error| tracing::warn!("no process guard: {error:#}")).ok()?;
    Some(GuardCommand { program: program.into(), arguments: vec!["process-guard".into()] })
}
