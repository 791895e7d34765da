//! HTTP requests of tests. An error status is a normal response.

use std::time::Duration;

use ureq::http;

/// A request under construction.
pub struct Request {
    builder: http::request::Builder,
    body: Vec<u8>,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status; zero if there was no response.
    pub status: u16,
    /// Headers in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Creates a request to `url`.
#[must_use]
pub fn request(method: &str, url: &str) -> Request {
    Request { builder: http::Request::builder().method(method).uri(url), body: Vec::new() }
}

impl Request {
    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the request over a new connection.
    ///
    /// # Panics
    /// If the request is invalid.
    #[must_use]
    pub fn send(self) -> Response {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let request = self.builder.body(self.body).expect("a proper request");
        match agent.run(request) {
            Ok(mut response) => Response {
                status: response.status().as_u16(),
                headers: response
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                    .collect(),
                body: response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap_or_default(),
            },
            Err(_) => Response { status: 0, headers: Vec::new(), body: Vec::new() },
        }
    }
}

impl Response {
    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Parses the body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns a header; empty if it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}
