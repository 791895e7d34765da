//! Waiting, but not for ever.

/// The deadline has passed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Elapsed;

/// Waits for `future`, no longer than `limit`. Where the thread has computed until long after that, what came in the meantime
/// is still read.
///
/// # Errors
/// When it takes longer.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub async fn timeout<F: Future>(limit: std::time::Duration, future: F) -> Result<F::Output, Elapsed> {
    use std::time::Duration;

    /// So much after its time a timer goes off only where the thread was busy.
    const LATE: Duration = Duration::from_millis(10);
    /// How long reading takes at most: bytes that are there, a turn for each task between them and `future`.
    const READING: Duration = Duration::from_millis(50);

    let (begin, mut future) = (tokio::time::Instant::now(), std::pin::pin!(future));
    let mut waited = tokio::time::timeout(limit, future.as_mut()).await;
    if waited.is_err() && begin.elapsed() > limit + LATE {
        waited = tokio::time::timeout(READING, future).await;
    }
    waited.map_err(|_| Elapsed)
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn what_came_while_the_thread_computed_is_in_time() {
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
    async fn what_does_not_come_is_waited_for_until_the_deadline() {
        let begin = tokio::time::Instant::now();
        assert_eq!(timeout(LIMIT, std::future::pending::<()>()).await, Err(Elapsed));
        assert!(begin.elapsed() < 2 * LIMIT, "{:?}", begin.elapsed());
    }
}
