//! HTTP service that runs as a Wasm component.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use guest_engine::RejectionLog;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::oneshot;
use wasmtime::component::Component;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;

use crate::engine::Engine;
use crate::error::ComponentError;
use crate::fallible_body::{FailureFlag, FallibleBody};
use crate::instances::Instances;
use crate::options::Options;
use crate::state::Imports;

/// Streaming body.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn StdError + Send + Sync>>;

/// Value of `Retry-After` for a busy service, in seconds.
const RETRY_DELAY: HeaderValue = HeaderValue::from_static("5");

/// Service that is ready for requests.
pub struct HttpApp<I: Imports> {
    name: String,
    instances: Arc<Instances<I>>,
    rejections: RejectionLog,
}

impl<I: Imports> HttpApp<I> {
    /// Creates the service of `component`.
    ///
    /// Logs use `name`; `imports` creates the data behind the host's own imports for each instance.
    ///
    /// # Errors
    /// When the component is not a service, has unknown imports, or fails before its first request.
    pub async fn new(
        engine: &Engine<I>,
        name: String,
        component: &Component,
        options: Options,
        imports: impl Fn() -> I + Send + Sync + 'static,
    ) -> Result<Self, ComponentError> {
        let linked = engine.linker.instantiate_pre(component).map_err(ComponentError::Imports)?;
        let service = ProxyPre::new(linked).map_err(ComponentError::NoHandler)?;
        let instances = Instances::new(service, engine.clock.clone(), options, Box::new(imports))
            .await
            .map_err(ComponentError::Start)?;
        Ok(Self { name, instances, rejections: RejectionLog::default() })
    }

    /// Handles one request from `peer`, and returns the response once its headers are available.
    ///
    /// Dropping the future ends the instance, and so does the request timeout.
    pub async fn handle(&self, request: Request<Body>, peer: Option<IpAddr>) -> Response<Body> {
        let running_request = self.run_request(request, peer);
        let Some(limit) = self.instances.options.limits.request_timeout else { return running_request.await };
        tokio::time::timeout(limit, running_request).await.unwrap_or_else(|_| {
            tracing::warn!(app = %self.name, "request timed out (--request-timeout)");
            plain(StatusCode::GATEWAY_TIMEOUT, "the application took too long\n")
        })
    }

    async fn run_request(&self, request: Request<Body>, peer: Option<IpAddr>) -> Response<Body> {
        let Some(turn) = self.instances.acquire().await else { return self.busy() };
        let (sender, mut receiver) = oneshot::channel();
        let instances = self.instances.clone();
        let failure_flag = FailureFlag::default();
        let flag = failure_flag.clone();
        let clock = instances.clock.clone();
        let running_request = async move {
            let mut live = instances.take().await.map_err(Failure::Start)?;
            let state = live.store.data_mut();
            state.imports.start_request(peer);
            let mut http = wasmtime_wasi_http::WasiHttpView::http(state);
            let request = request.map(|body| body.map_err(|error| Error::InternalError(Some(error.to_string()))));
            let resources = http
                .new_incoming_request(Scheme::Http, request)
                .and_then(|request| Ok((request, http.new_response_outparam(sender)?)));
            let (request, outparam) = resources.map_err(|_| Failure::NoHost)?;
            let proxy = live.proxy.wasi_http_incoming_handler();
            // Set before the instance is dropped, and with it the body that it writes.
            let handled = proxy.call_handle(&mut live.store, request, outparam).await;
            handled.inspect_err(|_| flag.set()).map_err(Failure::Run)?;
            instances.put_back(live);
            drop(turn);
            Ok(())
        };
        // The instance yields by the engine's clock; tokio's own budget would only make it look pending.
        let running_request = async move { clock.run(tokio::task::unconstrained(running_request)).await };
        let mut running = self.instances.options.account.run_request(running_request);
        let ended = tokio::select! {
            biased;
            ended = &mut running => ended,
            response = &mut receiver => match response {
                Ok(response) => {
                    // The body is still being written, while it is being sent.
                    let name = self.name.clone();
                    tokio::spawn(async move {
                        if let Err(error) = running.await {
                            tracing::error!(app = %name, "instance failed while writing its response: {error:?}");
                        }
                    });
                    return self.to_response(response, &failure_flag);
                }
                // There will be no response; the outcome tells why.
                Err(_) => running.await,
            }
        };
        match (ended, receiver.try_recv()) {
            (Ok(()), Ok(response)) => self.to_response(response, &failure_flag),
            (Ok(()), Err(_)) => {
                tracing::error!(app = %self.name, "instance ended without a response");
                internal_error()
            }
            (Err(error), Ok(response)) => {
                tracing::error!(app = %self.name, "instance failed after its response: {error:?}");
                self.to_response(response, &failure_flag)
            }
            (Err(Failure::Start(error)), Err(_)) => self.fail("cannot be started", &error),
            (Err(Failure::Run(error)), Err(_)) => self.fail("failed", &error),
            (Err(Failure::NoHost), Err(_)) => plain(StatusCode::BAD_REQUEST, "the request has no host\n"),
        }
    }

    fn to_response<B, E: std::fmt::Debug>(
        &self,
        response: Result<Response<B>, E>,
        failure_flag: &FailureFlag,
    ) -> Response<Body>
    where
        B: http_body_util::BodyExt + http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
    {
        match response {
            Ok(response) => response.map(|body| {
                FallibleBody::new(body.map_err(Into::into).boxed_unsync(), failure_flag.clone()).boxed_unsync()
            }),
            Err(code) => {
                tracing::error!(app = %self.name, "instance responded with an error: {code:?}");
                internal_error()
            }
        }
    }

    fn busy(&self) -> Response<Body> {
        if let Some(requests) = self.rejections.count(1) {
            tracing::warn!(app = %self.name, requests, "requests refused: all instances busy");
        }
        let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "the application is busy; try again in a bit\n");
        response.headers_mut().insert(RETRY_AFTER, RETRY_DELAY);
        response
    }

    fn fail(&self, how: &str, error: &wasmtime::Error) -> Response<Body> {
        tracing::error!(app = %self.name, "instance {how}; others continue: {error:?}");
        internal_error()
    }
}

/// Reason why an instance did not complete a request.
#[derive(Debug)]
enum Failure {
    Start(wasmtime::Error),
    NoHost,
    Run(wasmtime::Error),
}

fn internal_error() -> Response<Body> {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "the application failed; its log says why\n")
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response =
        Response::new(Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
