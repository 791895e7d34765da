//! Service invocation.

use bytes::BytesMut;
use dapr_runtime::{ApiError, Body, InvokeError, full_body, method_path};
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;

use crate::DaprWit;
use crate::contract::invoke as wit;
use crate::contract::types::{Error, Milliseconds};
use crate::error::within;

/// Maximum size of a response, in bytes. A longer one is an error, to spare an instance's memory.
const MAX_RESPONSE_BYTES: usize = 16 << 20;

type Headers = Vec<(String, Vec<u8>)>;

impl wit::Host for DaprWit {
    async fn send(
        &mut self,
        app_id: String,
        request: wit::Request,
        deadline: Option<Milliseconds>,
    ) -> Result<wit::Response, Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let api_error = |error| ApiError::invoke(&app_id, &error);
            if app_id.is_empty() {
                return Err(ApiError::no_app_id());
            }
            let request = to_request(request).map_err(api_error)?;
            let response = sidecar.invoke(&app_id, request).await.map_err(api_error)?;
            read_response(response).await.map_err(api_error)
        })
        .await
    }
}

fn to_request(request: wit::Request) -> Result<Request<Body>, InvokeError> {
    let wit::Request { method, path, headers, body } = request;
    let illegal = |what: &str| InvokeError::Channel(format!("rpc error: code = InvalidArgument desc = {what}").into());
    let (path, query) = path.split_once('?').map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
    let mut outbound = Request::new(full_body(body));
    let path: Vec<u8> = percent_decode_str(path).collect();
    *outbound.uri_mut() = method_path(&path, query)?.into();
    *outbound.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| illegal("invalid HTTP method"))?;
    *outbound.headers_mut() = read(headers).ok_or_else(|| illegal("invalid header"))?;
    // The body determines its length.
    outbound.headers_mut().remove(CONTENT_LENGTH);
    Ok(outbound)
}

fn read(headers: Headers) -> Option<HeaderMap> {
    let mut read = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?);
        read.try_append(name, value).ok()?;
    }
    Some(read)
}

async fn read_response(response: Response<Body>) -> Result<wit::Response, InvokeError> {
    let (head, mut body) = response.into_parts();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(InvokeError::Channel)?.into_data() else { continue };
        if whole.len() + piece.len() > MAX_RESPONSE_BYTES {
            return Err(InvokeError::Channel("the response is too long".into()));
        }
        whole.extend_from_slice(&piece);
    }
    let header = |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
    Ok(wit::Response {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(header).collect(),
        body: whole.into(),
    })
}
