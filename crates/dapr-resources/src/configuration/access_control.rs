//! Access control of invocations: `spec.accessControl`, as `dapr/pkg/acl` decides with mutual TLS.
//!
//! A sidecar knows its caller by a certificate; here the host knows it. The trust domain and namespace of all applications
//! of a host are Dapr's defaults.

mod operations;

pub use operations::{OperationRule, Operations};

/// Trust domain of every application: Dapr's default.
pub const TRUST_DOMAIN: &str = "public";

/// Namespace of every application: Dapr's default.
pub const NAMESPACE: &str = "default";

/// The access control list of one application. The default allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessControl {
    /// True if callers without a policy are denied.
    pub denies_by_default: bool,
    /// Policies of callers.
    pub policies: Vec<AccessPolicy>,
}

/// The policy of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// App id of the caller.
    pub app_id: String,
    /// Namespace of the caller.
    pub namespace: String,
    /// Trust domain of the caller.
    pub trust_domain: String,
    /// Action where no operation matches; `None` uses the list's default.
    pub denies_by_default: Option<bool>,
    /// Rules for parts of the application.
    pub operations: Operations,
}

impl AccessControl {
    /// Returns whether the application `caller` may send a request of `verb` to `path`.
    #[must_use]
    pub fn allows(&self, caller: &str, path: &str, verb: &str) -> bool {
        // Of two policies for one caller Dapr keeps the last.
        let policy = self.policies.iter().rfind(|policy| policy.app_id == caller && policy.namespace == NAMESPACE);
        let Some(policy) = policy.filter(|policy| policy.trust_domain == TRUST_DOMAIN) else {
            return !self.denies_by_default;
        };
        policy.operations.allow(path, verb).unwrap_or(!policy.denies_by_default.unwrap_or(self.denies_by_default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(app_id: &str, denies_by_default: Option<bool>, operations: Operations) -> AccessPolicy {
        let (namespace, trust_domain) = (NAMESPACE.to_owned(), TRUST_DOMAIN.to_owned());
        AccessPolicy { app_id: app_id.to_owned(), namespace, trust_domain, denies_by_default, operations }
    }

    #[test]
    fn default_action_decides_for_callers_without_policy() {
        assert!(AccessControl::default().allows("anybody", "/", "GET"));
        let elsewhere =
            AccessPolicy { namespace: "other".to_owned(), ..policy("a", Some(false), Operations::default()) };
        let foreign =
            AccessPolicy { trust_domain: "other".to_owned(), ..policy("b", Some(false), Operations::default()) };
        let control = AccessControl { denies_by_default: true, policies: vec![elsewhere, foreign] };
        assert!(["a", "b", "c"].iter().all(|caller| !control.allows(caller, "/", "GET")));
    }

    #[test]
    fn policy_decides_for_its_caller_alone() {
        let rule = OperationRule { path: "/order".to_owned(), verbs: vec!["POST".to_owned()], allows: true };
        let policies = vec![policy("a", Some(true), Operations::new(vec![rule]))];
        let control = AccessControl { denies_by_default: false, policies };
        assert!(control.allows("a", "/order", "POST") && !control.allows("a", "/order", "GET"));
        assert!(control.allows("b", "/order", "GET"));
    }
}
