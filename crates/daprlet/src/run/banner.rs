//! What is said once everything listens.

use std::io::Write as _;
use std::net::SocketAddr;

use app_runtime::RunningApp;

use crate::cli::LogFormat;

/// Tells where everything listens, where daprlet's own lines go.
pub(crate) fn tell(format: LogFormat, running: &[RunningApp], page: Option<SocketAddr>) {
    match format {
        LogFormat::Text => print(running, page),
        LogFormat::Json => {
            for app in running {
                let address = app.address.map(tracing::field::display);
                tracing::info!(app = %app.id, address, dapr_address = %app.dapr_address, "ready");
            }
            if let Some(page) = page {
                tracing::info!(address = %page, "the page is ready");
            }
        }
    }
}

fn print(running: &[RunningApp], page: Option<SocketAddr>) {
    let width = running.iter().map(|app| app.id.len()).max().unwrap_or(0);
    let mut text = String::from("\nReady:\n");
    for app in running {
        let address = app.address.map_or_else(|| "no port".to_owned(), |address| format!("http://{address}"));
        text.push_str(&format!("  {:width$}  {address:<24} Dapr API http://{}\n", app.id, app.dapr_address));
    }
    if let Some(page) = page {
        text.push_str(&format!("  {:width$}  http://{page}\n", "page"));
    }
    text.push_str("Ctrl-C ends it.\n");
    // If standard error is closed there is nobody to tell.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
