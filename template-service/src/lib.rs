//! Note service.
//!
//! The smallest service that uses Dapr: `POST /note` stores a text in a state store, and `GET /note` returns it.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use dapr_client::Dapr;
use service_kit::{Check, Description, EdgeSettings, Endpoint, Environment, Health, Problem, Service};

const PORT: u16 = 9000;
const DAPR_HTTP_PORT: u16 = 3500;

/// Key of the note in the state store.
const KEY: &str = "note";

const ENDPOINTS: &[Endpoint] =
    &[Endpoint::post("/note", "keeps the body, a text"), Endpoint::get("/note", "answers the text that was kept last")];

/// The place of the note: a key in a state store.
#[derive(Clone)]
struct Note {
    dapr: Dapr,
    store: String,
}

/// Builds the service from its environment: the settings of [`EdgeSettings`], Dapr's endpoint and `STATE_STORE`.
pub fn service(environment: &mut Environment<'_>) -> Service {
    let edge = EdgeSettings::read(environment, PORT, 64 * 1024);
    let dapr = Dapr::connect(environment.dapr_endpoint(DAPR_HTTP_PORT));
    let store = environment.text("STATE_STORE").unwrap_or_else(|| "statestore".to_owned());
    let description = Description { name: "template-service", about: "Keeps a note", endpoints: ENDPOINTS };
    Service::new(description, edge, router(Note { dapr, store }))
}

fn router(note: Note) -> Router {
    Router::new().route("/note", get(read).post(write)).route("/healthz", get(health)).with_state(note)
}

async fn write(State(note): State<Note>, text: String) -> Result<(), Problem> {
    Ok(note.dapr.state(&note.store).save(KEY, &text).await?)
}

async fn read(State(note): State<Note>) -> Result<String, Problem> {
    let entry = note.dapr.state(&note.store).get(KEY).await?;
    entry.map(|entry| entry.value).ok_or_else(|| Problem::not_found("there is no note yet"))
}

async fn health(State(note): State<Note>) -> Health {
    let entry = note.dapr.state(&note.store).get::<String>(KEY).await;
    Health::from_checks(vec![Check::required("state store", entry)])
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
service_kit::component!(crate::service);

#[cfg(test)]
mod tests;
