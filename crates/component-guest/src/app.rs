//! One service: requests in, answers out.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::oneshot;
use wasm_engine::Refusals;
use wasmtime::component::Component;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;

use crate::engine::Engine;
use crate::error::ComponentError;
use crate::instances::Instances;
use crate::options::Options;
use crate::state::Imports;
use crate::unbroken::{Broken, UnbrokenBody};

/// A body that streams.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn StdError + Send + Sync>>;

/// When to come back to a service that is busy, in seconds.
const RETRY_DELAY: HeaderValue = HeaderValue::from_static("5");

/// A service that is ready for requests.
pub struct HttpApp<I: Imports> {
    name: String,
    instances: Arc<Instances<I>>,
    refusals: Refusals,
}

impl<I: Imports> HttpApp<I> {
    /// The service that `component` is; `name` is what the log calls it, and `imports` makes what an instance is given.
    ///
    /// # Errors
    /// When the component is no service, imports what nobody gives, or breaks when it is asked how it wants to be used.
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
        Ok(Self { name, instances, refusals: Refusals::default() })
    }

    /// Answers one request of `peer`, as soon as the head of the answer is there. Dropping the future ends the instance, and so
    /// does the timeout for a request.
    pub async fn handle(&self, request: Request<Body>, peer: Option<IpAddr>) -> Response<Body> {
        let answering = self.answer(request, peer);
        let Some(limit) = self.instances.options.limits.request_timeout else { return answering.await };
        tokio::time::timeout(limit, answering).await.unwrap_or_else(|_| {
            tracing::warn!(app = %self.name, "request timed out (--request-timeout)");
            plain(StatusCode::GATEWAY_TIMEOUT, "the application took too long\n")
        })
    }

    async fn answer(&self, request: Request<Body>, peer: Option<IpAddr>) -> Response<Body> {
        let Some(turn) = self.instances.turn().await else { return self.busy() };
        let (sender, mut receiver) = oneshot::channel();
        let instances = self.instances.clone();
        let broken = Broken::default();
        let breaks = broken.clone();
        let clock = instances.clock.clone();
        let answering = async move {
            let mut live = instances.take().await.map_err(Failure::Start)?;
            let state = live.store.data_mut();
            state.imports.request_begins(peer);
            let mut http = wasmtime_wasi_http::WasiHttpView::http(state);
            let request = request.map(|body| body.map_err(|error| Error::InternalError(Some(error.to_string()))));
            let resources = http
                .new_incoming_request(Scheme::Http, request)
                .and_then(|request| Ok((request, http.new_response_outparam(sender)?)));
            let (request, outparam) = resources.map_err(|_| Failure::NoHost)?;
            let proxy = live.proxy.wasi_http_incoming_handler();
            // Before the instance is dropped, and with it the body that it writes.
            let handled = proxy.call_handle(&mut live.store, request, outparam).await;
            handled.inspect_err(|_| breaks.set()).map_err(Failure::Run)?;
            instances.put_back(live);
            drop(turn);
            Ok(())
        };
        // The instance takes turns by the engine's clock; tokio's own budget would only make it look unready.
        let answering = async move { clock.during(tokio::task::unconstrained(answering)).await };
        let mut running = self.instances.options.account.answer(answering);
        let ended = tokio::select! {
            biased;
            ended = &mut running => ended,
            answer = &mut receiver => match answer {
                Ok(answer) => {
                    // The body is still being written, beside its way to whoever asked.
                    let name = self.name.clone();
                    tokio::spawn(async move {
                        if let Err(error) = running.await {
                            tracing::error!(app = %name, "the instance broke while it wrote its answer: {error:?}");
                        }
                    });
                    return self.answered(answer, &broken);
                }
                // There will be none; how it ends says why.
                Err(_) => running.await,
            }
        };
        match (ended, receiver.try_recv()) {
            (Ok(()), Ok(answer)) => self.answered(answer, &broken),
            (Ok(()), Err(_)) => {
                tracing::error!(app = %self.name, "the instance ended without an answer");
                failed()
            }
            (Err(error), Ok(answer)) => {
                tracing::error!(app = %self.name, "the instance broke after its answer: {error:?}");
                self.answered(answer, &broken)
            }
            (Err(Failure::Start(error)), Err(_)) => self.broke("cannot be started", &error),
            (Err(Failure::Run(error)), Err(_)) => self.broke("broke", &error),
            (Err(Failure::NoHost), Err(_)) => plain(StatusCode::BAD_REQUEST, "the request names no host\n"),
        }
    }

    fn answered<B, E: std::fmt::Debug>(&self, answer: Result<Response<B>, E>, broken: &Broken) -> Response<Body>
    where
        B: http_body_util::BodyExt + http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
    {
        match answer {
            Ok(response) => response
                .map(|body| UnbrokenBody::new(body.map_err(Into::into).boxed_unsync(), broken.clone()).boxed_unsync()),
            Err(code) => {
                tracing::error!(app = %self.name, "the instance answered with an error: {code:?}");
                failed()
            }
        }
    }

    fn busy(&self) -> Response<Body> {
        if let Some(requests) = self.refusals.count(1) {
            tracing::warn!(app = %self.name, requests, "requests refused: all instances busy");
        }
        let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "the application is busy; try again in a bit\n");
        response.headers_mut().insert(RETRY_AFTER, RETRY_DELAY);
        response
    }

    fn broke(&self, how: &str, error: &wasmtime::Error) -> Response<Body> {
        tracing::error!(app = %self.name, "the instance {how}; others go on: {error:?}");
        failed()
    }
}

/// Why an instance did not answer to the end.
#[derive(Debug)]
enum Failure {
    Start(wasmtime::Error),
    NoHost,
    Run(wasmtime::Error),
}

fn failed() -> Response<Body> {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "the application failed; its log says why\n")
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response =
        Response::new(Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
