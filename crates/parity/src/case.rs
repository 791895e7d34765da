//! What is asked: a case is a few requests, one after another, that only make sense together.

use std::time::Duration;

use bytes::Bytes;

/// A name and what is asked under it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Unique; its words tell what is being found out.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One request.
///
/// In the path, the headers and the body, `{key}` stands for a key that no other case uses, and `{etag:N}` for the etag
/// that step N (from 0) of this case was answered with.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Whom it goes to.
    pub(crate) to: To,
    pub(crate) method: String,
    /// The request target, which goes out as it is.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Payload,
    /// If set, the request is repeated until it is answered with this status, at most that long.
    pub(crate) until: Option<(u16, Duration)>,
}

/// Who answers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum To {
    /// The Dapr port of the application of that id.
    Dapr(&'static str),
    /// The application itself.
    App(&'static str),
}

/// A request's body.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// With its length.
    Whole(Bytes),
    /// In chunks whose sum nobody knows before the end.
    Chunks(Vec<Bytes>),
}

/// A case.
pub(crate) fn case(name: impl Into<String>, steps: impl IntoIterator<Item = Step>) -> Case {
    Case { name: name.into(), steps: steps.into_iter().collect() }
}

/// A request to a Dapr port.
pub(crate) fn dapr(app: &'static str, method: &str, target: impl Into<String>) -> Step {
    step(To::Dapr(app), method, target.into())
}

/// A request to an application.
pub(crate) fn app(app: &'static str, method: &str, target: impl Into<String>) -> Step {
    step(To::App(app), method, target.into())
}

fn step(to: To, method: &str, target: String) -> Step {
    let body = Payload::Whole(Bytes::new());
    Step { to, method: method.to_owned(), target, headers: Vec::new(), body, until: None }
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

    /// Repeats the request until it is answered with `status`.
    pub(crate) fn until(mut self, status: u16) -> Self {
        self.until = Some((status, Duration::from_secs(30)));
        self
    }
}
