//! Default bulk operations of a store. `components-contrib/state/bulk.go`.

use std::future::Future;

use futures_util::stream::{FuturesOrdered, StreamExt};

/// Default parallelism of a bulk operation (`parallelism` 0), that of the HTTP API's bulk reads.
pub const DEFAULT_PARALLELISM: usize = 10;

/// Runs `call` on every request, at most `parallelism` at a time. Returns results in the order of the requests.
pub(super) async fn each<R, T, C, F>(requests: Vec<R>, parallelism: usize, call: C) -> Vec<T>
where
    C: Fn(R) -> F + Send,
    F: Future<Output = T> + Send,
    R: Send,
    T: Send,
{
    let at_once = if parallelism == 0 { DEFAULT_PARALLELISM } else { parallelism };
    let mut results = Vec::with_capacity(requests.len());
    let mut running = FuturesOrdered::new();
    for request in requests {
        if running.len() == at_once {
            results.extend(running.next().await);
        }
        running.push_back(call(request));
    }
    results.extend(running.collect::<Vec<_>>().await);
    results
}
