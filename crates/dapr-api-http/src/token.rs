//! API tokens: `dapr/pkg/api/http/middlewares.go` and `pkg/security/token.go`.

use std::fmt;

use http::HeaderMap;
use subtle::ConstantTimeEq as _;

/// Header that carries the token.
pub(crate) const HEADER: &str = "dapr-api-token";

/// An API token; its `Debug` output is redacted.
#[derive(Clone)]
pub struct ApiToken(String);

impl ApiToken {
    /// Creates a token; `None` for empty text, which means that none is required.
    #[must_use]
    pub fn new(token: String) -> Option<Self> {
        (!token.is_empty()).then_some(Self(token))
    }

    /// Returns whether `headers` carry this token, in constant time.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        headers.get(HEADER).is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(self.0.as_bytes())))
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
