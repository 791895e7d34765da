//! Contents of this build's registry.

use crate::harness::try_create;

#[test]
fn full_build_contains_every_component() {
    let blocks = [
        "bindings: cron mysql",
        "configuration: file redis",
        "lock: in-memory redis",
        "middleware.http: bearer ratelimit routeralias routerchecker uppercase",
        "pubsub: in-memory jetstream mqtt3 rabbitmq redis sqlite",
        "secretstores: local.env local.file",
        "state: in-memory redis sqlite",
    ];
    let types = |block: &str| {
        let (prefix, names) = block.split_once(": ").unwrap();
        names.split(' ').map(|name| format!("{prefix}.{name}")).collect::<Vec<_>>()
    };
    let expected: Vec<String> = blocks.into_iter().flat_map(types).collect();
    assert_eq!(component_native::registry().types().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn unknown_type_is_an_error() {
    let error = try_create("state.nothing-like-it", &[]).await.err().unwrap();
    assert!(!error.is_retryable());
}
