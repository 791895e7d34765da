//! Errors as RFC 9457 problem details.

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;

use crate::Response;

/// An error response: a JSON problem document.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    field: Option<&'static str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
}

impl Problem {
    /// Creates a problem; `detail` tells the client what to do about it.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), field: None, headers: Vec::new() }
    }

    /// Names the field of the request body that caused the error.
    #[must_use]
    pub fn in_field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the response status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the explanation for the client.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let body = Body {
            kind: "about:blank",
            title: problem.status.canonical_reason().unwrap_or("Error"),
            status: problem.status.as_u16(),
            detail: &problem.detail,
            field: problem.field,
        };
        // Strings and numbers always have a JSON form.
        let body = serde_json::to_vec(&body).map_or_else(|_| Bytes::new(), Bytes::from);
        let mut response = Self::new(body);
        *response.status_mut() = problem.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().extend(problem.headers);
        response
    }
}
