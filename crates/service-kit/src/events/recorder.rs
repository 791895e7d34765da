//! The service that records events, called through Dapr.

use dapr_client::Dapr;
use http::{Method, StatusCode};

use super::Event;

const METHOD: &str = "create_event";

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The event is in the table.
    Recorded,
    /// Not reached, or not able: to be tried again.
    Failed,
    /// The recorder will never take this event.
    Refused,
}

/// Tries once to have an event recorded.
pub(super) async fn record(dapr: &Dapr, app_id: &str, event: &Event) -> Attempt {
    match dapr.invoke(app_id, Method::POST, METHOD).json(event).repeatable().send().await {
        Ok(response) => match response.status() {
            status if status.is_success() => Attempt::Recorded,
            // The two ways of saying that the event itself is at fault; all else may pass.
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Attempt::Refused,
            _ => Attempt::Failed,
        },
        Err(_) => Attempt::Failed,
    }
}
