//! Service invocation: `/v1.0/invoke`.

use bytes::Bytes;
use http::Response;

use super::super::operation::INVOKE;
use super::super::{CallOptions, MethodCall};
use super::HttpBackend;
use crate::Error;
use crate::path::ApiPath;

pub(super) async fn invoke(
    backend: &HttpBackend,
    call_options: &CallOptions,
    call: MethodCall,
) -> Result<Response<Bytes>, Error> {
    let MethodCall { app_id, method, path, headers, body, repeat } = call;
    let path = ApiPath::new("/v1.0/invoke").segment(&app_id).segment("method").append_encoded(&path);
    let mut call = backend.build_call(call_options, INVOKE, method, &path)?;
    call.repeat = repeat;
    call.request.headers_mut().extend(headers);
    *call.request.body_mut() = body;
    backend.send(call_options, call).await
}
