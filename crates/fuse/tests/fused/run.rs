//! Running a command: in this process, on wasmtime's own WASI, and by the program `wasmtime`.

use std::path::PathBuf;
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

/// Runs a command on nothing but WASI, and gives what it printed.
pub(crate) async fn in_this_process(bytes: &[u8]) -> wasmtime::Result<String> {
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

/// Runs a command by the program that `WASMTIME` names, or that `cargo xtask setup --wasmtime` has built; says so where there
/// is none.
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
pub(crate) fn by_wasmtime(bytes: &[u8]) -> Option<String> {
    let Some(program) = program() else {
        assert!(std::env::var_os("CI").is_none(), "there is no wasmtime, and on CI there must be");
        println!("DID NOT RUN: there is no wasmtime; `cargo xtask setup --wasmtime` builds one");
        return None;
    };
    let file = tempfile::Builder::new().suffix(".wasm").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let ended = Process::new(program).arg("run").arg(file.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    Some(said)
}

fn program() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("WASMTIME") {
        return Some(given.into());
    }
    let caches = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let caches = caches.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let built = caches.join("daprlet/tools/wasmtime-48.0.8/bin/wasmtime");
    built.is_file().then_some(built)
}
