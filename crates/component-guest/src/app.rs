//! One service: requests in, answers out.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
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
use crate::instances::Instances;
use crate::options::Options;
use crate::state::Imports;
use crate::unbroken::{Broken, UnbrokenBody};

/// A body that streams.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn StdError + Send + Sync>>;

/// A service that is ready for requests.
pub struct HttpApp<I: Imports> {
    name: String,
    instances: Arc<Instances<I>>,
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
        Ok(Self { name, instances: Arc::new(instances) })
    }

    /// Answers one request of `peer`, as soon as the head of the answer is there. Dropping the future ends the instance.
    pub async fn handle(&self, request: Request<Body>, peer: Option<IpAddr>) -> Response<Body> {
        let Some(turn) = self.instances.turn().await else { return failed() };
        let mut live = match self.instances.take().await {
            Ok(live) => live,
            Err(error) => return self.broke("cannot be started", &error),
        };
        let (sender, mut receiver) = oneshot::channel();
        let state = live.store.data_mut();
        state.imports.request_begins(peer);
        let mut http = wasmtime_wasi_http::WasiHttpView::http(state);
        let request = request.map(|body| body.map_err(|error| Error::InternalError(Some(error.to_string()))));
        let resources = http
            .new_incoming_request(Scheme::Http, request)
            .and_then(|request| Ok((request, http.new_response_outparam(sender)?)));
        let Ok((request, outparam)) = resources else {
            return plain(StatusCode::BAD_REQUEST, "the request names no host\n");
        };
        let instances = self.instances.clone();
        let broken = Broken::default();
        let breaks = broken.clone();
        let mut running = Box::pin(async move {
            let proxy = live.proxy.wasi_http_incoming_handler();
            // The instance takes turns by the engine's clock; tokio's own budget would only make it look unready.
            let handling = tokio::task::unconstrained(proxy.call_handle(&mut live.store, request, outparam));
            // Before the instance is dropped, and with it the body that it writes.
            instances.clock.during(handling).await.inspect_err(|_| breaks.set())?;
            instances.put_back(live);
            drop(turn);
            Ok::<_, wasmtime::Error>(())
        });
        let ended = tokio::select! {
            biased;
            ended = &mut running => ended,
            answer = &mut receiver => {
                // The body is still being written, beside its way to whoever asked.
                let name = self.name.clone();
                tokio::spawn(async move {
                    if let Err(error) = running.await {
                        tracing::error!(app = %name, "the instance broke while it wrote its answer: {error:?}");
                    }
                });
                return match answer {
                    Ok(answer) => self.answered(answer, &broken),
                    Err(_) => failed(),
                };
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
            (Err(error), Err(_)) => self.broke("broke", &error),
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

    fn broke(&self, how: &str, error: &wasmtime::Error) -> Response<Body> {
        tracing::error!(app = %self.name, "the instance {how}; others go on: {error:?}");
        failed()
    }
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
