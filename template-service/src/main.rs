//! `POST /note` keeps a note, `GET /note` reads it.

use std::process::ExitCode;

#[cfg(target_os = "wasi")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service_kit::startup::run(template_service::service).await
}

#[cfg(not(target_os = "wasi"))]
fn main() -> ExitCode {
    service_kit::startup::built_natively(env!("CARGO_PKG_NAME"))
}
