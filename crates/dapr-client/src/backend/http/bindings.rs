//! Output bindings: `/v1.0/bindings`.

use std::collections::BTreeMap;

use http::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::super::operation::BINDING;
use super::super::{BindingRequest, CallOptions};
use super::HttpBackend;
use crate::path::ApiPath;
use crate::{BindingResponse, Error};

#[derive(Serialize)]
struct Body<'a> {
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    metadata: BTreeMap<&'a str, String>,
}

pub(super) async fn binding(
    backend: &HttpBackend,
    call_options: &CallOptions,
    name: &str,
    request: BindingRequest<'_>,
) -> Result<BindingResponse, Error> {
    let BindingRequest { operation, data, metadata } = request;
    let path = ApiPath::new("/v1.0/bindings").segment(name);
    let call =
        backend.build_call(call_options, BINDING, Method::POST, &path)?.json(&Body { operation, data, metadata })?;
    let (head, data) = backend.send_checked(call_options, call).await?.into_parts();
    let metadata = head.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("metadata.")?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    Ok(BindingResponse { data, metadata: metadata.collect() })
}
