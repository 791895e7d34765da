//! Outgoing HTTP requests of instances, which the host sends.

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;
use http::uri::Scheme;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::app::Body;

/// HTTP client for the services' outgoing requests.
#[async_trait]
pub trait Outbound: Send + Sync + 'static {
    /// Sends `request`, whose URI is absolute, and returns the response once its headers are available.
    ///
    /// The service sees the text of an error.
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Box<dyn StdError + Send + Sync>>;
}

/// Adapter for wasmtime's interface.
pub(crate) struct Hooks(pub(crate) Arc<dyn Outbound>);

type Finished = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn default_scheme(&mut self) -> Option<Scheme> {
        Some(Scheme::HTTP)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Finished,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Finished), Error>> + Send> {
        let outbound = self.0.clone();
        Box::new(async move {
            let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
            let sending = outbound.send(request);
            let sent = match options.and_then(|options| options.first_byte_timeout) {
                Some(limit) => tokio::time::timeout(limit, sending).await.map_err(|_| Error::HttpResponseTimeout)?,
                None => sending.await,
            };
            let response = sent.map_err(|error| Error::InternalError(Some(report(&*error))))?;
            let body = |body: Body| body.map_err(|error| Error::InternalError(Some(error.to_string()))).boxed_unsync();
            Ok((response.map(body), Box::new(std::future::ready(Ok(()))) as Finished))
        })
    }
}

fn report(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
