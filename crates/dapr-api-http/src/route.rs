//! Routes a path to an API call, as Dapr's router does: `dapr/pkg/api/http/server.go`.

use dapr_runtime::clean;
use percent_encoding::percent_decode_str;

/// One API call with its decoded parameters.
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
    /// An endpoint of Dapr that daprlet does not implement yet.
    NotImplemented(BuildingBlock),
    /// Any other path: perhaps an invocation.
    Invoke,
}

/// A building block of Dapr that daprlet does not implement yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BuildingBlock {
    /// Name for error messages.
    pub(crate) name: &'static str,
    /// API group, for the allow and deny lists of a Configuration.
    group: &'static str,
    version: &'static str,
}

impl BuildingBlock {
    /// Finds the block whose endpoint starts with `version` and `segment`.
    fn from_endpoint(version: &str, segment: &str) -> Option<Self> {
        let version = match version {
            "v1.0" => "v1",
            "v1.0-alpha1" => "v1alpha1",
            "v1.0-alpha2" => "v1alpha2",
            "v1.0-beta1" => "v1beta1",
            _ => return None,
        };
        let (name, group, versions): (_, _, &[&str]) = match segment {
            "publish" => ("pub/sub", "publish", &["v1", "v1alpha1"]),
            "configuration" => ("the configuration API", "configuration", &["v1", "v1alpha1"]),
            "lock" => ("the distributed lock API", "lock", &["v1alpha1"]),
            "unlock" => ("the distributed lock API", "unlock", &["v1alpha1"]),
            "jobs" => ("the jobs API", "jobs", &["v1", "v1alpha1"]),
            "actors" => ("the actors API", "actors", &["v1"]),
            "workflows" => ("the workflow API", "workflows", &["v1", "v1beta1", "v1alpha1"]),
            "crypto" | "subtlecrypto" => ("the cryptography API", "crypto", &["v1alpha1"]),
            "conversation" => ("the conversation API", "conversation", &["v1alpha1", "v1alpha2"]),
            _ => return None,
        };
        versions.contains(&version).then_some(Self { name, group, version })
    }
}

impl Route {
    pub(crate) fn group(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::NotImplemented(block) => Some((block.group, block.version)),
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

    /// Routes `method` and the escaped `path`.
    ///
    /// A path that exists with another method is an invocation too.
    pub(crate) fn parse(method: &http::Method, path: &str) -> Self {
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
            (version, [segment, _, ..]) => {
                BuildingBlock::from_endpoint(version, segment).map_or(Self::Invoke, Self::NotImplemented)
            }
            _ => Self::Invoke,
        }
    }

    /// Returns whether the public port serves the route (`--dapr-public-port`).
    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Self::Health | Self::OutboundHealth | Self::GetMetadata)
    }
}

/// Unescapes like Go's `url.QueryUnescape`: `+` is a space. Invalid UTF-8 is replaced, since keys are text here.
pub(crate) fn unescape(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route::parse(&method.parse().unwrap(), path)
    }

    #[test]
    fn paths_are_cleaned_and_parameters_decoded_as_query_values() {
        let expected = Route::GetState { store: "s".into(), key: "a b/c".into() };
        assert_eq!(route("GET", "/v1.0//state/./s/a+b%2Fc/"), expected);
        assert_eq!(route("GET", "/v1.0/healthz/"), Route::Health);
        assert_eq!(route("PUT", "/v1.0/state/s/bulk"), Route::BulkGetState { store: "s".into() });
    }

    #[test]
    fn endpoints_of_missing_blocks_are_not_invocations() {
        for (method, path, name) in [
            ("POST", "/v1.0/publish/p/a/b", "pub/sub"),
            ("PUT", "/v1.0-alpha1/publish/bulk/p/t", "pub/sub"),
            ("GET", "/v1.0-alpha1/configuration/c/subscribe", "the configuration API"),
            ("POST", "/v1.0-alpha1/unlock/s", "the distributed lock API"),
            ("DELETE", "/v1.0/actors/t/i/timers/n", "the actors API"),
            ("POST", "/v1.0-beta1/workflows/dapr/w/start", "the workflow API"),
            ("POST", "/v1.0-alpha2/conversation/c/converse", "the conversation API"),
        ] {
            assert!(
                matches!(route(method, path), Route::NotImplemented(block) if block.name == name),
                "{method} {path}"
            );
        }
        for path in ["/v1.0/lock/s", "/publish/p/t", "/v1.0/publish", "/v1.0-alpha2/jobs/n"] {
            assert_eq!(route("POST", path), Route::Invoke, "{path}");
        }
    }

    #[test]
    fn unknown_paths_and_wrong_methods_are_invocations() {
        for (method, path) in [
            ("DELETE", "/v1.0/state/s"),
            ("GET", "/v1.0/state/s/a/b"),
            ("POST", "/foo"),
            ("GET", "/"),
            ("POST", "/v1.0/healthz"),
            ("POST", "/v1.0/invoke/app/method/m"),
        ] {
            assert_eq!(route(method, path), Route::Invoke, "{method} {path}");
        }
    }
}
