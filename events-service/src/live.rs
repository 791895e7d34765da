//! New events as server-sent events (the HTML standard, section 9.2).
//!
//! Each response has the events since the last one, and ends; the browser asks again after [`RETRY_MS`], with the id of
//! the last event that it has. So it does not matter which of several instances answers, and a component, which cannot
//! wait, has it, too.

use std::fmt::Write as _;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use service_kit::{Problem, Unlogged};

use crate::event::StoredEvent;
use crate::page::{MAX_LIMIT, Page};

/// Time after which a browser asks again, in milliseconds.
const RETRY_MS: u32 = 1000;

/// Header with the id of the last event that a browser has.
const LAST_EVENT_ID: &str = "last-event-id";

/// Id of the last event that a client has, if it has any.
pub(crate) struct Position(Option<u64>);

impl<S: Sync> FromRequestParts<S> for Position {
    type Rejection = Problem;

    /// Reads `Last-Event-ID`, which a browser sends when it asks again, or else `after` of the query.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(last) = parts.headers.get(LAST_EVENT_ID) else {
            return Page::from_query(parts.uri.query().unwrap_or_default()).map(|page| Self(page.after));
        };
        let id = last.to_str().ok().and_then(|id| id.parse().ok()).filter(|id| i64::try_from(*id).is_ok());
        let invalid = || Problem::new(StatusCode::BAD_REQUEST, "Last-Event-ID has to be the id of an event");
        id.map(|id| Self(Some(id))).ok_or_else(invalid)
    }
}

impl Position {
    /// The page of what is new: for a client without any event, just the newest one, to begin with.
    pub(crate) fn page(&self) -> Page {
        match self.0 {
            Some(_) => Page { limit: MAX_LIMIT, before: None, after: self.0 },
            None => Page { limit: 1, before: None, after: None },
        }
    }
}

/// Events for a client.
pub(crate) struct Live {
    events: Vec<StoredEvent>,
    /// The client has none yet: it gets the position alone.
    is_first: bool,
}

impl Live {
    pub(crate) fn new(position: &Position, events: Vec<StoredEvent>) -> Self {
        Self { events, is_first: position.0.is_none() }
    }
}

impl IntoResponse for Live {
    fn into_response(self) -> Response {
        let mut body = format!("retry: {RETRY_MS}\n\n");
        for event in &self.events {
            // Writing to a string cannot fail, and neither does JSON of numbers and text.
            let data = serde_json::to_string(event).unwrap_or_default();
            let data = if self.is_first { String::new() } else { format!("data: {data}\n") };
            let _ = write!(body, "id: {}\n{data}\n", event.id);
        }
        if self.is_first && self.events.is_empty() {
            body.push_str("id: 0\n\n");
        }
        let is_empty = self.events.is_empty();
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
        let mut response = (headers, body).into_response();
        if is_empty {
            response.extensions_mut().insert(Unlogged);
        }
        response
    }
}
