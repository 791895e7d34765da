//! Waits until all applications are ready, and reports those that are not.

use std::time::Duration;

use daprlet_host::RunningApp;
use futures_util::future::join_all;

/// Time until the first progress report; later ones follow every [`PROGRESS_EVERY`].
const PROGRESS_AFTER: Duration = Duration::from_secs(2);
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Waits until all applications are ready.
pub(crate) async fn all_ready(running: &[RunningApp]) {
    let ready = join_all(running.iter().map(|app| app.sidecar.health().ready()));
    tokio::pin!(ready);
    let mut delay = PROGRESS_AFTER;
    while tokio::time::timeout(delay, ready.as_mut()).await.is_err() {
        tracing::info!("{}", progress(running));
        delay = PROGRESS_EVERY;
    }
}

/// Formats the number of ready applications, and the reasons why others are not.
fn progress(running: &[RunningApp]) -> String {
    let waiting: Vec<_> = running.iter().filter_map(|app| Some(format!("{} ({})", app.id, lacks(app)?))).collect();
    let ready = running.len() - waiting.len();
    format!("ready: {ready} of {}; waiting for {}", running.len(), waiting.join(", "))
}

/// Returns the reason why an application is not ready.
fn lacks(app: &RunningApp) -> Option<String> {
    if app.sidecar.health().all() {
        return None;
    }
    if !app.sidecar.health().outbound() {
        return Some("its components are not ready".to_owned());
    }
    let address = app.address.map_or_else(|| "its port".to_owned(), |address| address.to_string());
    Some(if app.started_here {
        format!("it does not listen on {address} yet")
    } else {
        format!("nothing listens on {address}; start the application")
    })
}
