//! In place of HTTPS, where daprlet is built without it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use building_blocks::BoxError;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::dial::Dial;

const WITHOUT: &str = "this daprlet is built without HTTPS (its feature `https`)";

/// A connection without TLS.
#[derive(Clone)]
pub(super) struct Way(Dial);

/// Who is trusted, and what is shown.
#[derive(Default)]
pub(super) struct Trust {
    pub(super) root_ca: Option<String>,
    pub(super) certificate: Option<String>,
    pub(super) private_key: Option<String>,
}

/// Connections by `dial`.
pub(super) fn way(dial: Dial, trust: &Trust) -> Result<Way, String> {
    match trust {
        Trust { root_ca: None, certificate: None, private_key: None } => Ok(Way(dial)),
        _ => Err(WITHOUT.to_owned()),
    }
}

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        if url.scheme_str() == Some("https") {
            return Box::pin(std::future::ready(Err(WITHOUT.into())));
        }
        self.0.call(url)
    }
}
