//! What this build carries.

use crate::harness::try_create;

#[test]
fn the_full_build_carries_every_component() {
    let expected = [
        "bindings.cron",
        "bindings.mysql",
        "secretstores.local.env",
        "secretstores.local.file",
        "state.in-memory",
        "state.redis",
        "state.sqlite",
    ];
    assert_eq!(native_components::registry().types().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_type_that_no_build_carries_is_an_error() {
    let error = try_create("state.nothing-like-it", &[]).await.err().unwrap();
    assert!(!error.is_retryable());
}
