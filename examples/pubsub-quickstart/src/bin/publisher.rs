//! Publishes each order that it gets.

use std::process::ExitCode;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use dapr_client::Dapr;
use http::StatusCode;
use pubsub_quickstart::Order;
use service_kit::{Description, EdgeSettings, Endpoint, Environment, Problem, Service};

const ENDPOINTS: &[Endpoint] = &[Endpoint::post("/order", "publishes {\"number\"}")];

async fn order(State(dapr): State<Dapr>, Json(order): Json<Order>) -> Result<StatusCode, Problem> {
    dapr.topic("messages", "orders").publish(&order).await?;
    Ok(StatusCode::ACCEPTED)
}

fn service(environment: &mut Environment<'_>) -> Service {
    let edge = EdgeSettings::read(environment, 9010, 64 << 10);
    let dapr = Dapr::connect(environment.dapr_endpoint(3510));
    let description = Description { name: "publisher", about: "Publishes orders", endpoints: ENDPOINTS };
    Service::new(description, edge, Router::new().route("/order", post(order)).with_state(dapr))
}

fn main() -> ExitCode {
    service_kit::run(service)
}
