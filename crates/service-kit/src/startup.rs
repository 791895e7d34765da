//! From the process to a running service: the only place that reads the environment, and writes before there is a log.

use std::process::ExitCode;

use crate::{Log, StderrLog};

/// The exit code for settings that cannot be used.
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
/// When that has mistakes, which the log has, too.
#[cfg(target_os = "wasi")]
pub(crate) fn build<A: crate::App>(
    build: impl FnOnce(&mut crate::Environment<'_>, std::sync::Arc<dyn Log>) -> crate::Service<A>,
) -> Result<crate::Service<A>, crate::Mistakes> {
    let log: std::sync::Arc<dyn Log> = std::sync::Arc::new(StderrLog);
    let mut environment = crate::Environment::new(&variable);
    let service = build(&mut environment, std::sync::Arc::clone(&log));
    environment.finish().map(|()| service).inspect_err(|mistakes| log.line(&mistakes.to_string()))
}

/// Reads a variable, or else the file that `NAME_FILE` names: secrets such as `DAPR_API_TOKEN` do not belong on a
/// command line, where WasmEdge's `--env` would put them.
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

/// What a service's program says when it is built for the machine itself, whose sockets it does not use, or for components,
/// whose service is the library.
#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
#[must_use]
pub fn built_natively(package: &str) -> ExitCode {
    StderrLog.line(&format!(
        "a service runs as WebAssembly: cargo build --profile wasm --target wasm32-wasip1 -p {package}"
    ));
    ExitCode::FAILURE
}
