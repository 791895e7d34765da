//! The API token: `dapr/pkg/api/http/middlewares.go` and `pkg/security/token.go`.

use std::fmt;

use http::HeaderMap;
use subtle::ConstantTimeEq as _;

/// The header that carries the token.
pub(crate) const HEADER: &str = "dapr-api-token";

/// A token that callers must show; nothing prints it.
#[derive(Clone)]
pub struct ApiToken(String);

impl ApiToken {
    /// A token; empty text means that none is asked for.
    #[must_use]
    pub fn new(token: String) -> Option<Self> {
        (!token.is_empty()).then_some(Self(token))
    }

    /// The token itself, for the header of a request.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `headers` show this token; takes the same time however much of it is right.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        headers.get(HEADER).is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(self.0.as_bytes())))
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
