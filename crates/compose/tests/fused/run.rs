//! Running of commands: in this process on wasmtime's WASI, and with the program `wasmtime`.

use std::process::Command as Process;

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

struct State(WasiCtx, ResourceTable);

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.0, table: &mut self.1 }
    }
}

/// Runs a command with WASI only, and returns its output.
pub(crate) async fn in_process(bytes: &[u8]) -> wasmtime::Result<String> {
    let engine = Engine::new(&Config::new())?;
    let component = Component::new(&engine, bytes)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let output = MemoryOutputPipe::new(1 << 20);
    let state = State(WasiCtx::builder().stdout(output.clone()).stderr(output.clone()).build(), ResourceTable::new());
    let mut store = Store::new(&engine, state);
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;
    let ended = command.wasi_cli_run().call_run(&mut store).await?;
    let said = String::from_utf8_lossy(&output.contents()).into_owned();
    assert_eq!(ended, Ok(()), "{said}");
    Ok(said)
}

/// Runs a command with the program `wasmtime`, if it is installed.
pub(crate) fn with_wasmtime(bytes: &[u8]) -> Option<String> {
    let program = toolchains::wasmtime()?;
    let file = tempfile::Builder::new().suffix(".wasm").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let ended = Process::new(program).arg("run").arg(file.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    Some(said)
}
