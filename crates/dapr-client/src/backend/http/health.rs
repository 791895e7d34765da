//! Health: `/v1.0/healthz`.

use http::Method;

use super::super::CallOptions;
use super::super::operation::HEALTH;
use super::HttpBackend;
use crate::Error;
use crate::path::ApiPath;

pub(super) async fn health(backend: &HttpBackend, call_options: &CallOptions, outbound: bool) -> Result<(), Error> {
    let path = if outbound { "/v1.0/healthz/outbound" } else { "/v1.0/healthz" };
    backend
        .send_checked(call_options, backend.build_call(call_options, HEALTH, Method::GET, &ApiPath::new(path))?)
        .await
        .map(drop)
}
