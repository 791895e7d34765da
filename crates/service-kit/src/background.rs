//! Work that goes on after its request.

/// Lets a future go on although nobody waits for it any more.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub(crate) fn run(future: impl Future<Output = ()> + Send + 'static) {
    // Without a runtime the program is ending.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(future);
    }
}

/// Drops a future. A component has no background, and its host calls block, so that nothing is under way.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(crate) fn run(future: impl Future<Output = ()> + Send + 'static) {
    drop(future);
}
