//! Startup of a service. The only place that reads the process environment.

use std::process::ExitCode;

use crate::{Log, StderrLog};

/// Exit code for invalid settings.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
const EX_USAGE: u8 = 64;

/// Runs a service until the program ends.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub async fn run<A: crate::App>(
    build: impl FnOnce(&mut crate::Environment<'_>, std::sync::Arc<dyn Log>) -> crate::Service<A>,
) -> ExitCode {
    let Ok(service) = self::build(build) else { return ExitCode::from(EX_USAGE) };
    let listen = service.settings().listen;
    StderrLog.line(&format!("{} listens on http://{listen}", A::NAME));
    match crate::edge::serve(service).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            StderrLog.line(&format!("cannot listen on {listen}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Builds a service from the environment.
///
/// # Errors
/// If settings are invalid; the errors are also logged.
#[cfg(target_os = "wasi")]
pub(crate) fn build<A: crate::App>(
    build: impl FnOnce(&mut crate::Environment<'_>, std::sync::Arc<dyn Log>) -> crate::Service<A>,
) -> Result<crate::Service<A>, crate::ConfigErrors> {
    let log: std::sync::Arc<dyn Log> = std::sync::Arc::new(StderrLog);
    let mut environment = crate::Environment::new(&variable);
    let service = build(&mut environment, std::sync::Arc::clone(&log));
    environment.finish().map(|()| service).inspect_err(|errors| log.line(&errors.to_string()))
}

/// Reads a variable, or else the file that `NAME_FILE` names.
///
/// Secrets such as `DAPR_API_TOKEN` do not belong on a command line, where WasmEdge's `--env` would put them.
#[cfg(target_os = "wasi")]
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

/// Prints how to build a service, from a program built for a target that cannot run it.
///
/// That is a native target, whose sockets it does not use, or components, where the library is the service.
#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
#[must_use]
pub fn built_natively(package: &str) -> ExitCode {
    StderrLog.line(&format!(
        "a service runs as WebAssembly: cargo build --profile wasm --target wasm32-wasip1 -p {package}"
    ));
    ExitCode::FAILURE
}
