//! Every building block whose API is one request.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use super::super::operation::{BINDING, HEALTH, INVOKE, METADATA, SECRET, SET_METADATA};
use super::super::{BindingRequest, MethodCall, Terms};
use super::{HttpFace, read_json};
use crate::path::ApiPath;
use crate::{BindingAnswer, Error, Metadata, Secret};

pub(super) async fn secret(
    face: &HttpFace,
    terms: &Terms,
    store: &str,
    key: &str,
) -> Result<Option<BTreeMap<String, Secret>>, Error> {
    let path = ApiPath::new("/v1.0/secrets").segment(store).segment(key);
    let response = face.succeed(terms, face.form(terms, SECRET, Method::GET, &path)?).await?;
    read_json(SECRET, &response)
}

pub(super) async fn invoke(face: &HttpFace, terms: &Terms, call: MethodCall) -> Result<Response<Bytes>, Error> {
    let MethodCall { app_id, method, path, headers, body, repeat } = call;
    let path = ApiPath::new("/v1.0/invoke").segment(&app_id).segment("method").written(&path);
    let mut call = face.form(terms, INVOKE, method, &path)?;
    call.repeat = repeat;
    call.request.headers_mut().extend(headers);
    *call.request.body_mut() = body;
    face.send(terms, call).await
}

#[derive(Serialize)]
struct Body<'a> {
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    metadata: BTreeMap<&'a str, String>,
}

pub(super) async fn binding(
    face: &HttpFace,
    terms: &Terms,
    name: &str,
    request: BindingRequest<'_>,
) -> Result<BindingAnswer, Error> {
    let BindingRequest { operation, data, metadata } = request;
    let path = ApiPath::new("/v1.0/bindings").segment(name);
    let call = face.form(terms, BINDING, Method::POST, &path)?.json(&Body { operation, data, metadata })?;
    let (head, data) = face.succeed(terms, call).await?.into_parts();
    let metadata = head.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("metadata.")?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    Ok(BindingAnswer { data, metadata: metadata.collect() })
}

pub(super) async fn metadata(face: &HttpFace, terms: &Terms) -> Result<Metadata, Error> {
    let call = face.form(terms, METADATA, Method::GET, &ApiPath::new("/v1.0/metadata"))?;
    Ok(read_json(METADATA, &face.succeed(terms, call).await?)?.unwrap_or_default())
}

pub(super) async fn set_metadata(face: &HttpFace, terms: &Terms, key: &str, value: &str) -> Result<(), Error> {
    let path = ApiPath::new("/v1.0/metadata").segment(key);
    let mut call = face.form(terms, SET_METADATA, Method::PUT, &path)?;
    *call.request.body_mut() = value.to_owned().into();
    face.succeed(terms, call).await.map(drop)
}

pub(super) async fn health(face: &HttpFace, terms: &Terms, outbound: bool) -> Result<(), Error> {
    let path = if outbound { "/v1.0/healthz/outbound" } else { "/v1.0/healthz" };
    face.succeed(terms, face.form(terms, HEALTH, Method::GET, &ApiPath::new(path))?).await.map(drop)
}
