//! Test cases: a few requests, in sequence, that only make sense together.

use bytes::Bytes;
use deployments::{Database, Payload, To};

/// A named sequence of requests.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Unique description of what is tested.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One request.
///
/// In the path, the headers and the body, `{key}` stands for a key that no other case uses, `{user}` for an address,
/// and `{etag:N}` for the etag in the response to step N (from 0) of this case.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Destination.
    pub(crate) to: To,
    pub(crate) method: String,
    /// Request target, sent unchanged.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Payload,
    /// If set, the request is repeated until the response matches.
    pub(crate) until: Option<Until>,
    /// Fault or recovery of the database before the request.
    pub(crate) database: Option<Database>,
}

/// An expected response.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    Status(u16),
    /// A body that contains this text.
    Body(&'static str),
}

/// Creates a case.
pub(crate) fn case(name: impl Into<String>, steps: impl IntoIterator<Item = Step>) -> Case {
    Case { name: name.into(), steps: steps.into_iter().collect() }
}

/// Creates a request to a Dapr port.
pub(crate) fn dapr(app: &'static str, method: &str, target: impl Into<String>) -> Step {
    step(To::Dapr(app), method, target.into())
}

/// Creates a request to an application.
pub(crate) fn app(app: &'static str, method: &str, target: impl Into<String>) -> Step {
    step(To::App(app), method, target.into())
}

fn step(to: To, method: &str, target: String) -> Step {
    let body = Payload::Whole(Bytes::new());
    Step { to, method: method.to_owned(), target, headers: Vec::new(), body, until: None, database: None }
}

impl Until {
    /// Returns true if a response with this status and body matches.
    pub(crate) fn is_met(self, status: u16, body: &[u8]) -> bool {
        match self {
            Self::Status(expected) => status == expected,
            Self::Body(expected) => String::from_utf8_lossy(body).contains(expected),
        }
    }
}

impl Step {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Payload::Whole(body.into());
        self
    }

    pub(crate) fn json(self, body: impl Into<Bytes>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    pub(crate) fn chunks(mut self, chunks: &[&'static str]) -> Self {
        self.body = Payload::Chunks(chunks.iter().map(|chunk| Bytes::from_static(chunk.as_bytes())).collect());
        self
    }

    /// Repeats the request until the response has `status`.
    pub(crate) fn until(mut self, status: u16) -> Self {
        self.until = Some(Until::Status(status));
        self
    }

    /// Repeats the request until the response's body contains this text.
    pub(crate) fn until_body(mut self, body: &'static str) -> Self {
        self.until = Some(Until::Body(body));
        self
    }

    /// Changes the state of the database before the request.
    pub(crate) fn after(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }
}
