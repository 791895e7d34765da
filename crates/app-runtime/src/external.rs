//! Invocation of what is no application: `http://HOST:PORT` in place of an id, as in `dapr/pkg/messaging/direct_messaging.go`.

use std::net::SocketAddr;

use building_blocks::BoxError;
use http::header::{HOST, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use sidecar::{Body, InvokeError};
use tokio::net::TcpStream;

use crate::allow::AllowList;
use crate::channel::handshake;
use crate::forward;

/// Whether `target` is an URL and not an application's id.
pub(crate) fn is_url(target: &str) -> bool {
    target.starts_with("http://") || target.starts_with("https://")
}

/// Sends `request` to the URL `target`, if `allow` lets it.
pub(crate) async fn call(
    target: &str,
    allow: &AllowList,
    mut request: Request<Body>,
) -> Result<Response<Body>, InvokeError> {
    let url: Uri = target.parse().map_err(|error: http::uri::InvalidUri| channel(error))?;
    let authority = url.authority().ok_or_else(|| channel("the URL names no host"))?.clone();
    if url.scheme_str() != Some("http") {
        return Err(channel("only http:// can be invoked, not https://"));
    }
    let address = address(&authority, allow).await?;
    let own = request.uri().path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
    let path = format!("{}{own}", url.path().trim_end_matches('/'));
    *request.uri_mut() = path.parse().map_err(|error: http::uri::InvalidUri| channel(error))?;
    // What lies outside is told nothing of the applications here.
    forward::request(&mut request, target, target);
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str()).map_err(channel)?);
    let stream = TcpStream::connect(address).await.map_err(channel)?;
    stream.set_nodelay(true).map_err(channel)?;
    let mut connection = handshake(stream).await.map_err(channel)?;
    let mut response = connection.send_request(request).await.map_err(channel)?;
    forward::response(&mut response);
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}

async fn address(authority: &Authority, allow: &AllowList) -> Result<SocketAddr, InvokeError> {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
    let found: Vec<SocketAddr> = match host.parse() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) if allow.names(host) => {
            let found: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(channel)?.collect();
            allow.remember(host, &found.iter().map(SocketAddr::ip).collect::<Vec<_>>());
            found
        }
        Err(_) => Vec::new(),
    };
    let allowed = found.into_iter().find(|address| allow.allows(*address));
    allowed.ok_or_else(|| channel(format!("{host}:{port} is not allowed; start with --allow-outbound {host}:{port}")))
}

fn channel(error: impl Into<BoxError>) -> InvokeError {
    InvokeError::Channel(error.into())
}
