//! Allow and deny lists of a Configuration: `spec.api`, as `dapr/pkg/api/http/server.go` applies it.

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRule {
    /// The building block: `state`, `invoke`, ...
    pub name: String,
    /// `v1` or `v1alpha1`.
    pub version: String,
}

/// Which parts of the API an application may use. Health is always among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiAccess {
    /// If there are any, only these.
    pub allowed: Vec<ApiRule>,
    /// Never these.
    pub denied: Vec<ApiRule>,
}

impl ApiAccess {
    pub(crate) fn allows(&self, name: &str, version: &str) -> bool {
        let listed = |rules: &[ApiRule]| rules.iter().any(|rule| rule.name == name && rule.version == version);
        (self.allowed.is_empty() || listed(&self.allowed)) && !listed(&self.denied)
    }
}
