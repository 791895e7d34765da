//! The event recording service as a WasmEdge module.

use std::process::ExitCode;

#[cfg(all(target_os = "wasi", target_env = "p1"))]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service_kit::startup::run(events_service::service).await
}

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
fn main() -> ExitCode {
    service_kit::startup::built_natively(env!("CARGO_PKG_NAME"))
}
