//! Event recording service: stores the events of the image services in SQL.
//!
//! `POST /create_event` records an event, `GET /events` lists events, `GET /init` creates the table. A Dapr secret
//! names the database: MySQL through its own protocol, or any database behind a Dapr SQL binding.

mod event;
mod page;
mod repository;
mod same_origin;

use std::sync::Arc;

use async_trait::async_trait;
use dapr_client::{Dapr, Endpoint as DaprEndpoint};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use service_kit::{App, Call, Check, EdgeSettings, Environment, Health, Log, Problem, Response, Route, Service};

pub use event::{NewEvent, StoredEvent};
pub use page::{MAX_LIMIT, Page};
pub use repository::{DatabaseError, DatabaseSettings, DatabaseSource, EventRepository};

const PORT: u16 = 9007;
const DAPR_HTTP_PORT: u16 = 3505;
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The service.
pub struct Events {
    events: Box<dyn EventRepository>,
    may_delete: bool,
}

/// Endpoints of the service's routes.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Records an event.
    Create,
    /// Lists events.
    List,
    /// Creates the table.
    Init,
    /// Deletes all events.
    Clear,
}

#[derive(Serialize)]
struct Done {
    status: bool,
}

/// Builds the service from its environment.
///
/// Reads the settings of [`EdgeSettings`], Dapr's endpoint, `SECRET_STORE`, `DB_SECRET_KEY`, `SQL_BINDING`,
/// `DATABASE_DEADLINE_MS` and `ALLOW_DELETE_EVENTS`.
pub fn service(environment: &mut Environment<'_>, log: Arc<dyn Log>) -> Service<Events> {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let endpoint: DaprEndpoint = environment.dapr_endpoint(DAPR_HTTP_PORT);
    let text = |name, default: &str| environment.text(name).unwrap_or_else(|| default.to_owned());
    let (secret_store, secret_key) = (text("SECRET_STORE", "local-store"), text("DB_SECRET_KEY", "DB_URL:MYSQL"));
    let binding = text("SQL_BINDING", "events-db");
    let deadline = environment.milliseconds("DATABASE_DEADLINE_MS", 5000);
    let may_delete = environment.parsed("ALLOW_DELETE_EVENTS", "`true` or `false`", false);
    let settings = DatabaseSettings { secret_store, secret_key, binding, deadline };
    let database = DatabaseSource::new(Dapr::connect(endpoint), settings);
    Service::new(Events::new(Box::new(database), may_delete), edge).with_log(log)
}

impl Events {
    /// Creates a service on a repository; `may_delete` lets `DELETE /events` empty the table.
    #[must_use]
    pub fn new(events: Box<dyn EventRepository>, may_delete: bool) -> Self {
        Self { events, may_delete }
    }
}

#[async_trait]
impl App for Events {
    type Endpoint = Endpoint;

    const NAME: &'static str = "events-service";
    const ABOUT: &'static str = "Records what the image services did";
    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::post(
            "/create_event",
            Endpoint::Create,
            "records {\"event_ts\", \"op_type\", \"input_size\"}, once for each optional \"event_id\"",
        ),
        Route::get(
            "/events",
            Endpoint::List,
            "the newest events by ascending id: at most `limit` (1000) of those with an id below `before`",
        ),
        Route::get("/init", Endpoint::Init, "prepares the table, and drops nothing"),
        Route::post("/init", Endpoint::Init, "prepares the table, and drops nothing"),
        Route::delete("/events", Endpoint::Clear, "deletes all events, where ALLOW_DELETE_EVENTS permits it"),
    ];

    async fn call(&self, endpoint: Endpoint, call: Call) -> Result<Response, Problem> {
        match endpoint {
            Endpoint::Create => {
                let event = NewEvent::from_json(call.request.body())?;
                self.events.record(&event).await.map_err(unavailable)?;
            }
            Endpoint::List => {
                let page = Page::from_query(call.request.uri().query().unwrap_or_default())?;
                return json(&self.events.list(page).await.map_err(unavailable)?);
            }
            Endpoint::Init => {
                self.events.migrate().await.map_err(unavailable)?;
            }
            Endpoint::Clear => {
                if !self.may_delete {
                    return Err(Problem::new(
                        StatusCode::FORBIDDEN,
                        "deleting is off; ALLOW_DELETE_EVENTS=true permits it",
                    ));
                }
                same_origin::require(call.request.headers())?;
                self.events.clear().await.map_err(unavailable)?;
            }
        }
        json(&Done { status: true })
    }

    async fn health(&self) -> Health {
        Health::from_checks(vec![match self.events.ping().await {
            Ok(()) => Check::ok("database"),
            Err(error) => Check::unavailable("database", error.to_string()),
        }])
    }
}

/// Responds with 503: the sender keeps the event and tries again.
fn unavailable(error: DatabaseError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer has no JSON form"))?;
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
service_kit::component!(crate::Events, crate::service, requests: u32::MAX);

#[cfg(test)]
mod tests;
