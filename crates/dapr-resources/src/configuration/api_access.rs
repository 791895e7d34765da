//! Allow and deny lists of a Configuration: `spec.api`, as `dapr/pkg/api/http/server.go` applies them.

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRule {
    /// Building block: `state`, `invoke`, ...
    pub name: String,
    /// API version: `v1` or `v1alpha1`.
    pub version: String,
}

/// Parts of the API that an application may use. Health is always allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiAccess {
    /// If not empty, only these are allowed.
    pub allowed: Vec<ApiRule>,
    /// These are never allowed.
    pub denied: Vec<ApiRule>,
}

impl ApiAccess {
    /// Returns whether version `version` of the building block `name` is served.
    #[must_use]
    pub fn allows(&self, name: &str, version: &str) -> bool {
        let listed = |rules: &[ApiRule]| rules.iter().any(|rule| rule.name == name && rule.version == version);
        (self.allowed.is_empty() || listed(&self.allowed)) && !listed(&self.denied)
    }
}
