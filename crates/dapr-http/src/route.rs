//! From a path to a call, as Dapr's router does it: `dapr/pkg/api/http/server.go`.

use percent_encoding::percent_decode_str;
use sidecar::clean;

/// One call of the API with its parameters, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    GetState {
        store: String,
        key: String,
    },
    DeleteState {
        store: String,
        key: String,
    },
    SaveState {
        store: String,
    },
    BulkGetState {
        store: String,
    },
    Transaction {
        store: String,
    },
    QueryState {
        store: String,
    },
    GetSecret {
        store: String,
        key: String,
    },
    BulkGetSecret {
        store: String,
    },
    Binding {
        name: String,
    },
    GetMetadata,
    PutMetadata {
        key: String,
    },
    Health,
    OutboundHealth,
    Shutdown,
    /// Everything else: perhaps an invocation.
    Invoke,
}

/// The group of the API that a route belongs to, for the allow and deny lists of a Configuration
/// (`dapr/pkg/api/http/endpoints/endpoints.go`).
impl Route {
    pub(crate) fn group(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::QueryState { .. } => Some(("state", "v1alpha1")),
            Self::GetState { .. }
            | Self::DeleteState { .. }
            | Self::SaveState { .. }
            | Self::BulkGetState { .. }
            | Self::Transaction { .. } => Some(("state", "v1")),
            Self::GetSecret { .. } | Self::BulkGetSecret { .. } => Some(("secrets", "v1")),
            Self::Binding { .. } => Some(("bindings", "v1")),
            Self::GetMetadata | Self::PutMetadata { .. } => Some(("metadata", "v1")),
            Self::Shutdown => Some(("shutdown", "v1")),
            Self::Invoke => Some(("invoke", "v1")),
            Self::Health | Self::OutboundHealth => None,
        }
    }

    /// The call that `method` and the escaped `path` mean. A path that exists with another method is an invocation too.
    pub(crate) fn of(method: &http::Method, path: &str) -> Self {
        let cleaned = clean(path);
        let segments: Vec<&str> = cleaned.trim_start_matches('/').split('/').collect();
        let [version, rest @ ..] = segments.as_slice() else { return Self::Invoke };
        let writes = matches!(method.as_str(), "POST" | "PUT");
        let (get, put, delete, post) = (method == "GET", method == "PUT", method == "DELETE", method == "POST");
        match (*version, rest) {
            ("v1.0", ["state", store]) if writes => Self::SaveState { store: unescape(store) },
            ("v1.0", ["state", store, "bulk"]) if writes => Self::BulkGetState { store: unescape(store) },
            ("v1.0", ["state", store, "transaction"]) if writes => Self::Transaction { store: unescape(store) },
            ("v1.0", ["state", store, key]) if get => Self::GetState { store: unescape(store), key: unescape(key) },
            ("v1.0", ["state", store, key]) if delete => {
                Self::DeleteState { store: unescape(store), key: unescape(key) }
            }
            ("v1.0-alpha1", ["state", store, "query"]) if writes => Self::QueryState { store: unescape(store) },
            ("v1.0", ["secrets", store, "bulk"]) if get => Self::BulkGetSecret { store: unescape(store) },
            ("v1.0", ["secrets", store, key]) if get => Self::GetSecret { store: unescape(store), key: unescape(key) },
            ("v1.0", ["bindings", name]) if writes => Self::Binding { name: unescape(name) },
            ("v1.0", ["metadata"]) if get => Self::GetMetadata,
            ("v1.0", ["metadata", key]) if put => Self::PutMetadata { key: unescape(key) },
            ("v1.0", ["healthz"]) if get => Self::Health,
            ("v1.0", ["healthz", "outbound"]) if get => Self::OutboundHealth,
            ("v1.0", ["shutdown"]) if post => Self::Shutdown,
            _ => Self::Invoke,
        }
    }
}

/// Go's `url.QueryUnescape`: `+` is a space. What is no UTF-8 is replaced, since keys are text here.
pub(crate) fn unescape(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, path: &str) -> Route {
        Route::of(&method.parse().unwrap(), path)
    }

    #[test]
    fn paths_are_cleaned_and_parameters_decoded_as_query_values() {
        let expected = Route::GetState { store: "s".into(), key: "a b/c".into() };
        assert_eq!(of("GET", "/v1.0//state/./s/a+b%2Fc/"), expected);
        assert_eq!(of("GET", "/v1.0/healthz/"), Route::Health);
        assert_eq!(of("PUT", "/v1.0/state/s/bulk"), Route::BulkGetState { store: "s".into() });
    }

    #[test]
    fn unknown_paths_and_wrong_methods_are_taken_for_invocations() {
        for (method, path) in [
            ("DELETE", "/v1.0/state/s"),
            ("GET", "/v1.0/state/s/a/b"),
            ("POST", "/foo"),
            ("GET", "/"),
            ("POST", "/v1.0/healthz"),
            ("POST", "/v1.0/invoke/app/method/m"),
        ] {
            assert_eq!(of(method, path), Route::Invoke, "{method} {path}");
        }
    }
}
