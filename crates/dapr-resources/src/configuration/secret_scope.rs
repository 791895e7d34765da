//! Secret scopes of a Configuration: `spec.secrets.scopes`.

/// Access of an application to one secret store: `spec.secrets.scopes[]` of a Configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretScope {
    /// Name of the store.
    pub store: String,
    /// Access to secrets in neither list.
    pub default_access: DefaultAccess,
    /// If not empty, only these may be read.
    pub allowed: Vec<String>,
    /// Secrets that may not be read.
    pub denied: Vec<String>,
}

/// Access to secrets in neither list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultAccess {
    /// Allows reading.
    #[default]
    Allow,
    /// Denies reading.
    Deny,
}

impl SecretScope {
    /// Returns whether the secret `name` may be read; as `IsSecretAllowed` of `dapr/pkg/config/configuration.go`.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|entry| entry == name);
        if !self.allowed.is_empty() {
            return listed(&self.allowed);
        }
        if !self.denied.is_empty() {
            return !listed(&self.denied);
        }
        self.default_access == DefaultAccess::Allow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(default_access: DefaultAccess, allowed: &[&str], denied: &[&str]) -> SecretScope {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        SecretScope { store: "s".into(), default_access, allowed: owned(allowed), denied: owned(denied) }
    }

    #[test]
    fn allow_list_overrides_deny_list_and_default() {
        let (allow, deny) = (DefaultAccess::Allow, DefaultAccess::Deny);
        assert!(scope(allow, &[], &[]).allows("a") && !scope(deny, &[], &[]).allows("a"));
        assert!(scope(deny, &["a"], &["a"]).allows("a") && !scope(allow, &["a"], &[]).allows("b"));
        assert!(!scope(allow, &[], &["a"]).allows("a") && scope(deny, &[], &["a"]).allows("b"));
    }
}
