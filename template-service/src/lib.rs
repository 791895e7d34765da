//! Note service.
//!
//! The smallest service that uses Dapr: `POST /note` stores a text in a state store, and `GET /note` returns it.

use std::sync::Arc;

use async_trait::async_trait;
use dapr_client::Dapr;
use http::StatusCode;
use service_kit::{App, Call, Check, EdgeSettings, Environment, Health, Log, Problem, Response, Route, Service};

const PORT: u16 = 9000;
const DAPR_HTTP_PORT: u16 = 3500;
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Key of the note in the state store.
const KEY: &str = "note";

/// The service.
pub struct Notepad {
    dapr: Dapr,
    store: String,
}

/// Endpoints of the service's routes.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Stores a note.
    Write,
    /// Reads the note.
    Read,
}

/// Builds the service from its environment: the settings of [`EdgeSettings`], Dapr's endpoint and `STATE_STORE`.
pub fn service(environment: &mut Environment<'_>, log: Arc<dyn Log>) -> Service<Notepad> {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let dapr = Dapr::connect(environment.dapr_endpoint(DAPR_HTTP_PORT));
    let store = environment.text("STATE_STORE").unwrap_or_else(|| "statestore".to_owned());
    Service::new(Notepad::new(dapr, store), edge).with_log(log)
}

impl Notepad {
    /// Creates a service with its note in that state store.
    #[must_use]
    pub fn new(dapr: Dapr, store: String) -> Self {
        Self { dapr, store }
    }

    async fn note(&self) -> Result<Option<String>, dapr_client::Error> {
        Ok(self.dapr.state(&self.store).get(KEY).await?.map(|entry| entry.value))
    }
}

#[async_trait]
impl App for Notepad {
    type Endpoint = Endpoint;

    const NAME: &'static str = "template-service";
    const ABOUT: &'static str = "Keeps a note";
    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::post("/note", Endpoint::Write, "keeps the body, a text"),
        Route::get("/note", Endpoint::Read, "answers the text that was kept last"),
    ];

    async fn call(&self, endpoint: Endpoint, call: Call) -> Result<Response, Problem> {
        match endpoint {
            Endpoint::Write => {
                let text = std::str::from_utf8(call.request.body())
                    .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body has to be text in UTF-8"))?;
                self.dapr.state(&self.store).save(KEY, &text).await.map_err(unavailable)?;
                Ok(Response::default())
            }
            Endpoint::Read => {
                let note = self.note().await.map_err(unavailable)?;
                let note = note.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no note yet"))?;
                Ok(Response::new(note.into()))
            }
        }
    }

    async fn health(&self) -> Health {
        Health::from_checks(vec![match self.note().await {
            Ok(_) => Check::ok("state store"),
            Err(error) => Check::unavailable("state store", error.to_string()),
        }])
    }
}

/// Responds with 503: the client may try again.
fn unavailable(error: dapr_client::Error) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
service_kit::component!(crate::Notepad, crate::service);

#[cfg(test)]
mod tests;
