//! Timeouts and delays.

/// Error of an operation that exceeded its timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Elapsed;

/// Waits for `future`, no longer than `limit`.
///
/// If the thread was busy past the limit, data that arrived in the meantime is still read.
///
/// # Errors
/// If the timeout expires.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub async fn timeout<F: Future>(limit: std::time::Duration, future: F) -> Result<F::Output, Elapsed> {
    use std::time::Duration;

    /// Lateness of a timer beyond which the thread must have been busy.
    const MAX_TIMER_DELAY: Duration = Duration::from_millis(10);
    /// Extra time for reading data that has arrived: a turn for each task between the data and `future`.
    const READ_TIMEOUT: Duration = Duration::from_millis(50);

    let (begin, mut future) = (tokio::time::Instant::now(), std::pin::pin!(future));
    let mut waited = tokio::time::timeout(limit, future.as_mut()).await;
    if waited.is_err() && begin.elapsed() > limit + MAX_TIMER_DELAY {
        waited = tokio::time::timeout(READ_TIMEOUT, future).await;
    }
    waited.map_err(|_| Elapsed)
}

/// Waits for `future`. In a component every call returns its result, and the host enforces the timeout.
///
/// # Errors
/// Never.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub async fn timeout<F: Future>(_limit: std::time::Duration, future: F) -> Result<F::Output, Elapsed> {
    Ok(future.await)
}

/// Waits for `time`.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub async fn sleep(time: std::time::Duration) {
    tokio::time::sleep(time).await;
}

/// Waits for `time`. A component handles one request at a time, so that nothing else needs the thread.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub async fn sleep(time: std::time::Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn data_that_arrived_while_the_thread_was_busy_is_read() {
        let (sender, receiver) = oneshot::channel();
        let computing = async {
            tokio::spawn(async move {
                for _ in 0..10 {
                    yield_now().await;
                }
                sender.send("answer")
            });
            let begin = Instant::now();
            while begin.elapsed() < 10 * LIMIT {
                std::hint::spin_loop();
            }
        };
        let (answer, ()) = tokio::join!(timeout(LIMIT, receiver), computing);
        assert_eq!(answer, Ok(Ok("answer")));
    }

    #[tokio::test(start_paused = true)]
    async fn missing_data_times_out() {
        let begin = tokio::time::Instant::now();
        assert_eq!(timeout(LIMIT, std::future::pending::<()>()).await, Err(Elapsed));
        assert!(begin.elapsed() < 2 * LIMIT, "{:?}", begin.elapsed());
    }
}
