//! Client of the service that records events.

use dapr_client::Dapr;
use http::{Method, StatusCode};

use super::Event;

const METHOD: &str = "create_event";

/// Outcome of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The event is in the table.
    Recorded,
    /// The recorder was not reached or could not respond; a later attempt may succeed.
    Failed,
    /// The recorder rejects this event for good.
    Refused,
}

/// Tries once to record an event.
pub(super) async fn record(dapr: &Dapr, app_id: &str, event: &Event) -> Attempt {
    match dapr.invoke(app_id, Method::POST, METHOD).json(event).repeatable().send().await {
        Ok(response) => match response.status() {
            status if status.is_success() => Attempt::Recorded,
            // These two say that the event itself is wrong; every other error may pass.
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Attempt::Refused,
            _ => Attempt::Failed,
        },
        Err(_) => Attempt::Failed,
    }
}
