//! What is said once everything listens.

use std::io::Write as _;
use std::net::SocketAddr;

use app_runtime::RunningApp;

/// Prints where everything listens, to standard error, where daprlet's own lines go.
pub(crate) fn print(running: &[RunningApp], page: Option<SocketAddr>) {
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
