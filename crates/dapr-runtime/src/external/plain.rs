//! Replacement of HTTPS in builds without the feature.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use dapr_building_blocks::BoxError;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::Trust;
use super::dial::Dial;

const NO_HTTPS: &str = "this daprlet is built without HTTPS (its feature `https`)";

/// A connector without TLS.
#[derive(Clone)]
pub(super) struct Connector(Dial);

/// Creates a connector over `dial`.
pub(super) fn connector(dial: Dial, trust: &Trust) -> Result<Connector, String> {
    match trust {
        Trust { root_ca: None, certificate: None, private_key: None } => Ok(Connector(dial)),
        _ => Err(NO_HTTPS.to_owned()),
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        if url.scheme_str() == Some("https") {
            return Box::pin(std::future::ready(Err(NO_HTTPS.into())));
        }
        self.0.call(url)
    }
}
