//! HTTP server for a static page, and for facts about this process.

mod about;
mod source;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use about::About;

/// Serves `folder` at `address`, and returns the bound address.
pub(crate) async fn serve(
    folder: PathBuf,
    address: SocketAddr,
    about: Arc<About>,
    shutdown: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let folder = tokio::fs::canonicalize(&folder).await.with_context(|| format!("--page {}", folder.display()))?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("the page cannot listen on {address} (--page-port)"))?;
    let bound = listener.local_addr()?;
    let folder: Arc<Path> = folder.into();
    tokio::spawn(async move {
        while let Some(Ok((stream, _))) = shutdown.run_until_cancelled(listener.accept()).await {
            let (folder, about) = (folder.clone(), about.clone());
            let service = service_fn(move |request| {
                let (folder, about) = (folder.clone(), about.clone());
                async move { Ok::<_, Infallible>(answer(&folder, &about, &request).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(bound)
}

async fn answer<B>(folder: &Path, about: &About, request: &Request<B>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    if path == about::PATH {
        return file(about.json().to_string().into(), "application/json");
    }
    // The page's files have plain names, so paths that could lead outside are simply not found.
    let inside =
        path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '%', ':']));
    let real = if inside { tokio::fs::canonicalize(folder.join(path)).await.ok() } else { None };
    match real.filter(|real| real.starts_with(folder)) {
        Some(real) => match tokio::fs::read(&real).await {
            Ok(bytes) => file(bytes.into(), media_type(&real)),
            Err(_) => plain(StatusCode::NOT_FOUND, "not found\n"),
        },
        None => plain(StatusCode::NOT_FOUND, "not found\n"),
    }
}

fn file(bytes: Bytes, media_type: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}
