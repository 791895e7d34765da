//! The path of an invocation, under a policy that allows one directory: what is allowed arrives in that directory.

#![no_main]

use std::borrow::Cow;

use dapr_resources::configuration::access_control::{
    AccessControl, AccessPolicy, NAMESPACE, OperationRule, Operations, TRUST_DOMAIN,
};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

fn policy() -> AccessControl {
    let rule = OperationRule { path: "/open/**".to_owned(), verbs: vec!["*".to_owned()], allows: true };
    let policy = AccessPolicy {
        app_id: "caller".to_owned(),
        namespace: NAMESPACE.to_owned(),
        trust_domain: TRUST_DOMAIN.to_owned(),
        denies_by_default: Some(true),
        operations: Operations::new(vec![rule]),
    };
    AccessControl { denies_by_default: true, policies: vec![policy] }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(sent) = dapr_runtime::method_path(bytes, None) else { return };
    assert!(sent.path().starts_with('/'), "{sent}");
    assert!(!sent.path().contains(['?', '#', ' ']), "{sent}");
    // As the host asks, and as an app understands it at most: decoded once, without dots.
    let understood = percent_decode_str(sent.path()).decode_utf8_lossy();
    let understood: Cow<'_, str> = dapr_runtime::clean(&understood);
    if policy().allows("caller", &understood, "GET") {
        assert!(understood.to_lowercase().starts_with("/open"), "{bytes:?} is sent as {sent} and allowed");
    }
    assert!(!policy().allows("other", &understood, "GET"));
});
