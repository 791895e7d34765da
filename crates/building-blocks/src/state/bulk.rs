//! The bulk operations of a store that has none of its own. `components-contrib/state/bulk.go`.

use std::future::Future;

use futures_util::stream::{FuturesOrdered, StreamExt};

/// How many requests of one bulk operation run at a time when the caller does not say (`parallelism` 0).
/// The HTTP API's own default for bulk reads.
pub const DEFAULT_PARALLELISM: usize = 10;

/// Runs `call` on every request, at most `parallelism` at a time, and answers in the order of the requests.
pub(super) async fn each<R, T, C, F>(requests: Vec<R>, parallelism: usize, call: C) -> Vec<T>
where
    C: Fn(R) -> F + Send,
    F: Future<Output = T> + Send,
    R: Send,
    T: Send,
{
    let at_once = if parallelism == 0 { DEFAULT_PARALLELISM } else { parallelism };
    let mut answers = Vec::with_capacity(requests.len());
    let mut running = FuturesOrdered::new();
    for request in requests {
        if running.len() == at_once {
            answers.extend(running.next().await);
        }
        running.push_back(call(request));
    }
    answers.extend(running.collect::<Vec<_>>().await);
    answers
}
