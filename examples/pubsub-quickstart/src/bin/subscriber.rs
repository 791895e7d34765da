//! Gets each order that is published.

use std::process::ExitCode;

use pubsub_quickstart::Order;
use service_kit::{
    Delivery, Description, EdgeSettings, Environment, Event, Log as _, Service, StderrLog, Subscriptions,
};

async fn shipped(Event { id, data: Order { number }, .. }: Event<Order>) -> Delivery {
    StderrLog.line(&format!("order {number} is shipped (event {id})"));
    Delivery::Success
}

fn service(environment: &mut Environment<'_>) -> Service {
    let edge = EdgeSettings::read(environment, 9011, 64 << 10);
    let description = Description { name: "subscriber", about: "Ships orders", endpoints: &[] };
    let subscriptions = Subscriptions::new().subscribe("messages", "orders", "/orders", shipped);
    Service::new(description, edge, subscriptions.into_router())
}

fn main() -> ExitCode {
    service_kit::run(service)
}
