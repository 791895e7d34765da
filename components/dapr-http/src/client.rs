//! A client for one call.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dapr_client::{Dapr, Endpoint};

use crate::error::Error;
use crate::transport::WasiHttp;

/// Where Dapr listens unless the environment says otherwise.
const DEFAULT_PORT: u16 = 3500;

/// As long as nobody says how long.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Makes one call, no longer than `milliseconds`.
pub(crate) fn ask<T>(
    milliseconds: Option<u32>,
    call: impl AsyncFnOnce(&Dapr) -> Result<T, dapr_client::Error>,
) -> Result<T, Error> {
    let endpoint = Endpoint::from_lookup(|name| std::env::var(name).ok(), DEFAULT_PORT);
    let endpoint = endpoint.map_err(|mistake| Error::Unreachable(mistake.to_string()))?;
    let limit = milliseconds.map(|limit| Duration::from_millis(limit.into()));
    let transport = Arc::new(WasiHttp::new(limit));
    let dapr = Dapr::with_transport(endpoint, transport.clone()).with_deadline(limit.unwrap_or(PATIENCE));
    finished(call(&dapr)).map_err(|error| if transport.is_late() { Error::Deadline } else { error.into() })
}

/// Every call of the host's has its answer when it returns, so there is nothing to wait for.
fn finished<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
