//! Waiting, but not for ever.

/// The deadline has passed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Elapsed;

/// Waits for `future`, no longer than `limit`.
///
/// # Errors
/// When it takes longer.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub async fn timeout<F: Future>(limit: std::time::Duration, future: F) -> Result<F::Output, Elapsed> {
    tokio::time::timeout(limit, future).await.map_err(|_| Elapsed)
}

/// Waits for `future`. In a component every call has its answer when it returns, and its deadline is the host's to keep.
///
/// # Errors
/// Never.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub async fn timeout<F: Future>(_limit: std::time::Duration, future: F) -> Result<F::Output, Elapsed> {
    Ok(future.await)
}

/// Waits that long.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub async fn sleep(time: std::time::Duration) {
    tokio::time::sleep(time).await;
}

/// Waits that long. A component has one request at a time, so that there is nobody to give the time to.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub async fn sleep(time: std::time::Duration) {
    std::thread::sleep(time);
}
