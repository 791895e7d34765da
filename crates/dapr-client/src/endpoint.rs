//! The address of Dapr's HTTP API, and the API token.

use http::Uri;

use crate::Secret;

/// Address of a Dapr HTTP API, and its API token.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: String,
    token: Option<Secret>,
}

/// Error in the environment's endpoint. Never contains the token.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// `DAPR_HTTP_ENDPOINT` is invalid.
    #[error("DAPR_HTTP_ENDPOINT: `{0}` is not a URL such as http://127.0.0.1:3500")]
    MalformedEndpoint(String),
    /// The endpoint's scheme is not supported.
    #[error("DAPR_HTTP_ENDPOINT: the scheme of `{0}` is not supported, only http is")]
    UnsupportedScheme(String),
    /// `DAPR_HTTP_PORT` is not a port.
    #[error("DAPR_HTTP_PORT: `{0}` is not a port number")]
    MalformedPort(String),
    /// `DAPR_API_TOKEN` is not a valid header value.
    #[error("DAPR_API_TOKEN: holds characters that a header cannot carry")]
    MalformedToken,
}

impl Endpoint {
    /// Reads `DAPR_HTTP_ENDPOINT`, or else `DAPR_HTTP_PORT` on this machine, and `DAPR_API_TOKEN`, through `lookup`.
    ///
    /// `default_port` depends on the service: WasmEdge passes no environment on, so that each service has its own
    /// default.
    ///
    /// # Errors
    /// If a variable is invalid.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>, default_port: u16) -> Result<Self, EndpointError> {
        let set = |name| lookup(name).filter(|value: &String| !value.is_empty());
        let base = match (set("DAPR_HTTP_ENDPOINT"), set("DAPR_HTTP_PORT")) {
            (Some(url), _) => checked_base(&url)?,
            (None, Some(port)) => local(port.parse().map_err(|_| EndpointError::MalformedPort(port))?),
            (None, None) => local(default_port),
        };
        let token = set("DAPR_API_TOKEN").map(Secret::new);
        if token.as_ref().is_some_and(|token| http::HeaderValue::from_str(token.reveal()).is_err()) {
            return Err(EndpointError::MalformedToken);
        }
        Ok(Self { base, token })
    }

    /// Returns the API on `port` of this machine, without a token.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { base: local(port), token: None }
    }

    /// Returns the base URL of all paths, without a trailing slash.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }
}

/// An address instead of `localhost`: WasmEdge's client sockets are IPv4 only, and its resolver is not needed.
fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn checked_base(url: &str) -> Result<String, EndpointError> {
    let uri: Uri = url.parse().map_err(|_| EndpointError::MalformedEndpoint(url.to_owned()))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(_)) => Ok(url.trim_end_matches('/').to_owned()),
        (Some(_), Some(_)) => Err(EndpointError::UnsupportedScheme(url.to_owned())),
        _ => Err(EndpointError::MalformedEndpoint(url.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Endpoint, EndpointError> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Endpoint::from_lookup(lookup, 3503)
    }

    #[test]
    fn empty_environment_gives_the_default_port() {
        assert_eq!(read(&[]).unwrap().base(), "http://127.0.0.1:3503");
    }

    #[test]
    fn endpoint_wins_over_port_and_loses_its_trailing_slash() {
        let endpoint = read(&[("DAPR_HTTP_ENDPOINT", "http://dapr:80/"), ("DAPR_HTTP_PORT", "1")]).unwrap();
        assert_eq!(endpoint.base(), "http://dapr:80");
    }

    #[test]
    fn errors_name_the_variable() {
        assert_eq!(read(&[("DAPR_HTTP_PORT", "x")]).unwrap_err(), EndpointError::MalformedPort("x".into()));
        let error = read(&[("DAPR_HTTP_ENDPOINT", "https://dapr")]).unwrap_err();
        assert_eq!(error, EndpointError::UnsupportedScheme("https://dapr".into()));
    }

    #[test]
    fn debug_output_hides_the_token() {
        let endpoint = read(&[("DAPR_API_TOKEN", "hunter2")]).unwrap();
        assert!(!format!("{endpoint:?}").contains("hunter2"));
        assert_eq!(read(&[("DAPR_API_TOKEN", "a\nb")]).unwrap_err(), EndpointError::MalformedToken);
    }
}
