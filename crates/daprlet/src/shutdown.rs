//! Ending in order: Ctrl-C or SIGTERM asks once, a second time insists.

use tokio_util::sync::CancellationToken;

/// Cancels `token` at the first signal; ends the process at the second.
pub(crate) async fn on_signal(token: CancellationToken) {
    signal().await;
    tracing::info!("ending; once more to end at once");
    token.cancel();
    signal().await;
    std::process::exit(130);
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without a handler there will be no signal to wait for; the default action ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
