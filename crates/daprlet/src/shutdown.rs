//! Signal handling: the first signal starts a graceful shutdown, the second ends the process immediately.

use std::future::Future;

use tokio_util::sync::CancellationToken;

/// Installs the handlers of SIGINT, SIGTERM and SIGHUP.
///
/// The returned future cancels `token` at the first signal and ends the process at the second.
#[cfg(unix)]
pub(crate) fn on_signals(token: CancellationToken) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Under nohup, SIGHUP is ignored and stays ignored.
    let mut hang_up = (!ignores_hang_up()).then(|| signal(SignalKind::hangup())).transpose()?;
    let mut next = async move || {
        let hang_up = async {
            match &mut hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
            _ = hang_up => SignalKind::hangup(),
        }
    };
    Ok(async move {
        next().await;
        tracing::info!("shutting down; a second signal ends it immediately");
        token.cancel();
        let signal = next().await;
        std::process::exit(128 + signal.as_raw_value());
    })
}

/// Returns true if this process was started with SIGHUP ignored. On systems other than Linux, returns false.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    /// Bit of SIGHUP in a signal mask, the first.
    const HANG_UP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANG_UP != 0)
}

/// Waits for Ctrl-C. The returned future cancels `token` at the first and ends the process at the second.
#[cfg(not(unix))]
pub(crate) fn on_signals(token: CancellationToken) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
        token.cancel();
        let _ = tokio::signal::ctrl_c().await;
        std::process::exit(130);
    })
}
