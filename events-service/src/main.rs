//! The event recording service as a program: a WasmEdge module, or native for a debugger.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::run(events_service::service)
}
