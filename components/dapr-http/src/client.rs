//! A client for a single call.

use std::sync::Arc;
use std::time::Duration;

use dapr_client::{Dapr, Endpoint};
use futures_util::FutureExt as _;

use crate::error::Error;
use crate::transport::WasiHttp;

/// Default port of Dapr.
const DEFAULT_PORT: u16 = 3500;

/// Timeout of calls without one.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Makes one call with a timeout of `milliseconds`.
pub(crate) fn ask<T>(
    milliseconds: Option<u32>,
    call: impl AsyncFnOnce(&Dapr) -> Result<T, dapr_client::Error>,
) -> Result<T, Error> {
    let endpoint = Endpoint::from_lookup(|name| std::env::var(name).ok(), DEFAULT_PORT);
    let endpoint = endpoint.map_err(|mistake| Error::Unreachable(mistake.to_string()))?;
    let limit = milliseconds.map(|limit| Duration::from_millis(limit.into()));
    let transport = Arc::new(WasiHttp::new(limit));
    let dapr = Dapr::with_transport(endpoint, transport.clone()).with_deadline(limit.unwrap_or(DEFAULT_TIMEOUT));
    // Every host call returns its result before it ends, so that the future is never pending.
    let answered = call(&dapr).now_or_never().ok_or_else(|| Error::Unreachable("the call waits".to_owned()))?;
    answered.map_err(|error| if transport.is_late() { Error::Deadline } else { error.into() })
}
