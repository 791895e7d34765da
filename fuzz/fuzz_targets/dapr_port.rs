//! Any bytes on a connection to a Dapr port, with a state store behind it.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dapr_api_http::{DaprHttp, Options};
use dapr_building_blocks::component::{ComponentSpec, Context};
use dapr_runtime::{Components, Settings, Sidecar};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A request that waits for more is over by then.
const CONNECTION_TIMEOUT: Duration = Duration::from_millis(200);

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
static API: LazyLock<Arc<DaprHttp>> = LazyLock::new(|| RUNTIME.block_on(api()));

async fn api() -> Arc<DaprHttp> {
    let sidecar = Arc::new(Sidecar::new(Settings::new("app")));
    let spec =
        ComponentSpec { name: "store".to_owned(), type_: "state.in-memory".to_owned(), ..ComponentSpec::default() };
    let component = component_native::registry().create(spec.clone(), Context::default()).await;
    let mut components = Components::default();
    components.add(&spec, &component.expect("a component")).expect("a state store");
    sidecar.set_components(components);
    Arc::new(DaprHttp::new(sidecar, Options::default()))
}

fuzz_target!(|bytes: &[u8]| {
    let api = API.clone();
    RUNTIME.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let served = tokio::spawn(dapr_api_http::serve(api, server, CancellationToken::new()));
        let mut response = Vec::new();
        let exchange = async {
            // The server may close before it has read everything.
            let _ = client.write_all(bytes).await;
            let _ = client.shutdown().await;
            let _ = client.read_to_end(&mut response).await;
        };
        let _ = tokio::time::timeout(CONNECTION_TIMEOUT, exchange).await;
        drop(client);
        served.abort();
        if let Err(error) = served.await {
            assert!(!error.is_panic(), "{error}");
        }
        let is_http = response.is_empty() || response.starts_with(b"HTTP/1.") || bytes.starts_with(b"PRI");
        assert!(is_http, "{:?}", String::from_utf8_lossy(&response));
    });
});
