//! `middleware.http.wasm`: HTTP middleware in a Wasm module.
//!
//! A module exports `handle_request` and `handle_response`, and imports functions of the module `http_handler` and of
//! WASI 0.1: the HTTP handler ABI of <https://http-wasm.io/http-handler-abi/>. Trailers are not supported, as the ABI
//! allows. A guest has no files, network or environment; its output is logged at level debug.

mod abi;
mod component;
mod exchange;
mod guest;
mod memory;
mod output;
mod sandbox;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::HttpMiddleware;
use dapr_building_blocks::middleware::{Body, Next, full_body};
use http::{Request, Response, StatusCode};
use tokio::sync::Semaphore;

pub use component::register;
use exchange::Exchange;
use guest::{Guest, Template};

/// Limit on concurrent instances of one module.
const MAX_INSTANCES: usize = 16;

/// Settings of a module.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the component, for the log.
    pub name: String,
    /// Text that `get_config` returns to the guest.
    pub guest_config: String,
    /// True for clocks that only count and constant random numbers, so that a guest cannot measure anything.
    pub strict_sandbox: bool,
    /// Timeout of a guest's start, `handle_request` and `handle_response`, including reading the body.
    pub call_timeout: Duration,
}

impl Default for Options {
    /// Returns options with a timeout of 10 s per call.
    fn default() -> Self {
        Self {
            name: String::new(),
            guest_config: String::new(),
            strict_sandbox: false,
            call_timeout: Duration::from_secs(10),
        }
    }
}

/// Middleware that runs a module.
pub struct HttpWasm {
    template: Template,
    idle: Mutex<Vec<Guest>>,
    instances: Semaphore,
    call_timeout: Duration,
}

impl HttpWasm {
    /// Compiles `module` and starts a first instance.
    ///
    /// # Errors
    /// When the module does not implement the ABI, or traps at its start.
    pub async fn new(module: Vec<u8>, options: Options) -> Result<Self, String> {
        let call_timeout = options.call_timeout;
        let template = tokio::task::spawn_blocking(move || Template::new(&module, options)).await;
        let template = template.map_err(|error| error.to_string())?.map_err(|error| format!("{error:#}"))?;
        let starting = tokio::time::timeout(call_timeout, template.start()).await;
        let guest = starting.map_err(|_| format!("the module did not start within {call_timeout:?}"))?;
        let guest = guest.map_err(|error| format!("{error:#}"))?;
        Ok(Self { template, idle: Mutex::new(vec![guest]), instances: Semaphore::new(MAX_INSTANCES), call_timeout })
    }

    async fn call(&self, function: Function, exchange: Exchange) -> Result<(u64, Exchange), String> {
        match tokio::time::timeout(self.call_timeout, self.call_instance(function, exchange)).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(_) => Err(format!("{function:?} took longer than {:?}", self.call_timeout)),
        }
    }

    /// Calls an idle instance, or a new one. An instance whose call fails is dropped.
    async fn call_instance(&self, function: Function, exchange: Exchange) -> wasmtime::Result<(u64, Exchange)> {
        // The semaphore is never closed.
        let _permit = self.instances.acquire().await;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut guest = match idle {
            Some(guest) => guest,
            None => self.template.start().await?,
        };
        let outcome = self.template.run(&mut guest, function, exchange).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(guest);
        Ok(outcome)
    }

    fn fail(&self, error: &str) -> Response<Body> {
        tracing::error!(component = %self.template.name(), error, "http-wasm guest failed");
        let mut response = Response::new(full_body("Internal Server Error"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }
}

/// Exports of a guest.
#[derive(Clone, Copy, Debug)]
enum Function {
    HandleRequest,
    HandleResponse { context: u32 },
}

#[async_trait]
impl HttpMiddleware for HttpWasm {
    async fn handle(&self, request: Request<Body>, next: Next<'_>) -> Response<Body> {
        let exchange = Exchange::new(request, self.template.features());
        let (outcome, mut exchange) = match self.call(Function::HandleRequest, exchange).await {
            Ok(returned) => returned,
            Err(error) => return self.fail(&error),
        };
        // The lower half is 0 if the guest responds itself; the upper half is context for `handle_response`.
        if outcome as u32 == 0 {
            return exchange.into_response();
        }
        let context = (outcome >> 32) as u32;
        let response = next.run(exchange.take_request()).await;
        let unbuffered = match exchange.set_response(response).await {
            Ok(unbuffered) => unbuffered,
            Err(error) => return self.fail(&error),
        };
        match (self.call(Function::HandleResponse { context }, exchange).await, unbuffered) {
            (Ok((_, exchange)), None) => exchange.into_response(),
            (Ok(_), Some(response)) => response,
            (Err(error), None) => self.fail(&error),
            // An unbuffered response is sent even if the guest fails.
            (Err(error), Some(response)) => {
                self.fail(&error);
                response
            }
        }
    }
}
