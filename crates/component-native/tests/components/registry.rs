//! Contents of this build's registry.

use crate::harness::try_create;

#[test]
fn full_build_contains_every_component() {
    let expected = [
        "bindings.cron",
        "bindings.mysql",
        "secretstores.local.env",
        "secretstores.local.file",
        "state.in-memory",
        "state.redis",
        "state.sqlite",
    ];
    assert_eq!(component_native::registry().types().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn unknown_type_is_an_error() {
    let error = try_create("state.nothing-like-it", &[]).await.err().unwrap();
    assert!(!error.is_retryable());
}
