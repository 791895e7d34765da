//! A client for one call.

use std::sync::Arc;
use std::time::Duration;

use dapr_client::{Dapr, Endpoint};
use futures_util::FutureExt as _;

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
    // Every call of the host's has its answer when it returns, so that there is nothing to wait for.
    let answered = call(&dapr).now_or_never().ok_or_else(|| Error::Unreachable("the call waits".to_owned()))?;
    answered.map_err(|error| if transport.is_late() { Error::Deadline } else { error.into() })
}
