//! Metadata: `/v1.0/metadata`.

use http::Method;

use super::super::CallOptions;
use super::super::operation::{METADATA, SET_METADATA};
use super::{HttpBackend, read_json};
use crate::path::ApiPath;
use crate::{Error, Metadata};

pub(super) async fn metadata(backend: &HttpBackend, call_options: &CallOptions) -> Result<Metadata, Error> {
    let call = backend.build_call(call_options, METADATA, Method::GET, &ApiPath::new("/v1.0/metadata"))?;
    Ok(read_json(METADATA, &backend.send_checked(call_options, call).await?)?.unwrap_or_default())
}

pub(super) async fn set_metadata(
    backend: &HttpBackend,
    call_options: &CallOptions,
    key: &str,
    value: &str,
) -> Result<(), Error> {
    let path = ApiPath::new("/v1.0/metadata").segment(key);
    let mut call = backend.build_call(call_options, SET_METADATA, Method::PUT, &path)?;
    *call.request.body_mut() = value.to_owned().into();
    backend.send_checked(call_options, call).await.map(drop)
}
