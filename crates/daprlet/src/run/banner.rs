//! Table of addresses, shown once everything is ready.

use std::net::SocketAddr;

use daprlet_host::RunningApp;

use crate::cli::LogFormat;
use crate::log::Log;

/// Prints the addresses of all applications and of the page.
pub(crate) fn print(log: &Log, format: LogFormat, running: &[RunningApp], page: Option<SocketAddr>) {
    match format {
        LogFormat::Text => log.print(&text(running, page)),
        LogFormat::Json => {
            for app in running {
                let address = app.address.map(tracing::field::display);
                tracing::info!(app = %app.id, address, dapr_address = %app.dapr_address, "ready");
            }
            if let Some(page) = page {
                tracing::info!(address = %page, "page ready");
            }
        }
    }
}

fn text(running: &[RunningApp], page: Option<SocketAddr>) -> String {
    let width = running.iter().map(|app| app.id.len()).max().unwrap_or(0);
    let mut text = String::from("\nReady:\n");
    for app in running {
        let address = app.address.map_or_else(|| "no port".to_owned(), |address| format!("http://{address}"));
        text.push_str(&format!("  {:width$}  {address:<24} Dapr API http://{}\n", app.id, app.dapr_address));
    }
    if let Some(page) = page {
        text.push_str(&format!("  {:width$}  http://{page}\n", "page"));
    }
    text.push_str("Press Ctrl-C to stop.\n");
    text
}
