//! Event recording service: stores the events of the image services in SQL.
//!
//! `POST /create_event` records an event, `GET /events` lists events, `GET /init` creates the table. A Dapr secret
//! names the database: MySQL through its own protocol, or any database behind a Dapr SQL binding.

mod event;
mod live;
mod page;
mod publisher;
mod repository;
mod same_origin;

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use dapr_client::Dapr;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use service_kit::{Check, Description, EdgeSettings, Endpoint, Environment, Health, Problem, Service};

use self::live::{Live, Position};
use self::publisher::Publisher;
pub use event::{NewEvent, StoredEvent};
pub use page::{MAX_LIMIT, Page};
pub use publisher::TOPIC;
pub use repository::{DatabaseError, DatabaseSettings, DatabaseSource, EventRepository};

const PORT: u16 = 9007;
const DAPR_HTTP_PORT: u16 = 3505;
const MAX_BODY_BYTES: usize = 64 * 1024;

const DESCRIPTION: Description = Description {
    name: "events-service",
    about: "Records what the image services did",
    endpoints: &[
        Endpoint::post(
            "/create_event",
            "records {\"event_ts\", \"op_type\", \"input_size\"}, once for each optional \"event_id\"",
        ),
        Endpoint::get(
            "/events",
            "the newest events by ascending id: at most `limit` (1000), with ids below `before`, or above `after`",
        ),
        Endpoint::get("/events/live", "new events as server-sent events, after `Last-Event-ID` or `after`"),
        Endpoint::get("/init", "prepares the table, and drops nothing"),
        Endpoint::post("/init", "prepares the table, and drops nothing"),
        Endpoint::delete("/events", "deletes all events, where ALLOW_DELETE_EVENTS permits it"),
    ],
};

/// The repository, and whether `DELETE /events` may empty it.
#[derive(Clone)]
struct Events {
    repository: Arc<dyn EventRepository>,
    publisher: Arc<Publisher>,
    may_delete: bool,
}

/// Response to a change.
#[derive(Serialize)]
struct Done {
    status: bool,
}

const DONE: Json<Done> = Json(Done { status: true });

/// Builds the service from its environment.
///
/// Reads the settings of [`EdgeSettings`], Dapr's endpoint, `SECRET_STORE`, `DB_SECRET_KEY`, `SQL_BINDING`,
/// `EVENTS_PUBSUB`, `DATABASE_DEADLINE_MS` and `ALLOW_DELETE_EVENTS`.
pub fn service(environment: &mut Environment<'_>) -> Service {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let dapr = Dapr::connect(environment.dapr_endpoint(DAPR_HTTP_PORT));
    let text = |name, default: &str| environment.text(name).unwrap_or_else(|| default.to_owned());
    let (secret_store, secret_key) = (text("SECRET_STORE", "local-store"), text("DB_SECRET_KEY", "DB_URL:MYSQL"));
    let binding = text("SQL_BINDING", "events-db");
    let publisher = Arc::new(Publisher::new(dapr.clone(), text("EVENTS_PUBSUB", "messages")));
    let deadline = environment.milliseconds("DATABASE_DEADLINE_MS", 5000);
    let may_delete = environment.parsed("ALLOW_DELETE_EVENTS", "`true` or `false`", false);
    let settings = DatabaseSettings { secret_store, secret_key, binding, deadline };
    let repository = Arc::new(DatabaseSource::new(dapr, settings));
    Service::new(DESCRIPTION, edge, router(Events { repository, publisher, may_delete }))
}

fn router(events: Events) -> Router {
    Router::new()
        .route("/create_event", post(create))
        .route("/events", get(list).delete(clear))
        .route("/events/live", get(live))
        .route("/init", get(init).post(init))
        .route("/healthz", get(health))
        .with_state(events)
}

async fn create(State(events): State<Events>, event: NewEvent) -> Result<Json<Done>, Problem> {
    events.repository.record(&event).await?;
    events.publisher.publish(&event).await;
    Ok(DONE)
}

async fn list(State(events): State<Events>, page: Page) -> Result<Json<Vec<StoredEvent>>, Problem> {
    Ok(Json(events.repository.list(page).await?))
}

async fn live(State(events): State<Events>, position: Position) -> Result<Live, Problem> {
    Ok(Live::new(&position, events.repository.list(position.page()).await?))
}

async fn init(State(events): State<Events>) -> Result<Json<Done>, Problem> {
    events.repository.migrate().await?;
    Ok(DONE)
}

async fn clear(State(events): State<Events>, headers: HeaderMap) -> Result<Json<Done>, Problem> {
    if !events.may_delete {
        return Err(Problem::new(StatusCode::FORBIDDEN, "deleting is off; ALLOW_DELETE_EVENTS=true permits it"));
    }
    same_origin::require(&headers)?;
    events.repository.clear().await?;
    Ok(DONE)
}

async fn health(State(events): State<Events>) -> Health {
    Health::from_checks(vec![Check::required("database", events.repository.ping().await)])
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
service_kit::component!(crate::service, requests: u32::MAX);

#[cfg(test)]
mod tests;
