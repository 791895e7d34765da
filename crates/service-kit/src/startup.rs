//! Startup of a service. The only place that reads the process environment.

use std::process::ExitCode;

use crate::{Environment, Log, Service, StderrLog};

/// Exit code for invalid settings.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
const EX_USAGE: u8 = 64;

/// Runs a service until the program ends: on WasmEdge's sockets, or natively for a debugger.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub fn run(service: fn(&mut Environment<'_>) -> Service) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(service)),
        Err(error) => {
            StderrLog.line(&format!("cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
async fn serve(service: fn(&mut Environment<'_>) -> Service) -> ExitCode {
    let Ok(service) = build(service) else { return ExitCode::from(EX_USAGE) };
    let listen = service.settings().listen;
    StderrLog.line(&format!("{} listens on http://{listen}", service.name()));
    match crate::edge::listen(service.into_router(), listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            StderrLog.line(&format!("cannot listen on {listen}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints how to build a component, which is a library and no program.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub fn run(_: fn(&mut Environment<'_>) -> Service) -> ExitCode {
    StderrLog.line("a component is a library: cargo build --profile wasm --target wasm32-wasip2 --lib");
    ExitCode::FAILURE
}

/// Builds a service from the environment.
///
/// # Errors
/// If settings are invalid; the errors are also logged.
pub(crate) fn build(service: fn(&mut Environment<'_>) -> Service) -> Result<Service, crate::ConfigErrors> {
    let mut environment = Environment::new(&variable);
    let service = service(&mut environment);
    environment.finish().map(|()| service).inspect_err(|errors| StderrLog.line(&errors.to_string()))
}

/// Reads a variable, or else the file that `NAME_FILE` names.
///
/// Secrets such as `DAPR_API_TOKEN` do not belong on a command line, where WasmEdge's `--env` would put them.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().or_else(|| {
        let file = std::env::var(format!("{name}_FILE")).ok()?;
        match std::fs::read_to_string(&file) {
            Ok(text) => Some(text.trim_end().to_owned()),
            Err(error) => {
                StderrLog.line(&format!("{name}_FILE: cannot read {file}: {error}"));
                None
            }
        }
    })
}
