//! A real WasmEdge to compare with, if installed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::ensure;

/// A running WasmEdge, killed on drop.
pub(crate) struct WasmEdge(Child);

impl Drop for WasmEdge {
    fn drop(&mut self) {
        // It may have exited by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the program in `$WASMEDGE`, or on the path.
pub(crate) fn program() -> Option<PathBuf> {
    let program = std::env::var_os("WASMEDGE").map_or_else(|| PathBuf::from("wasmedge"), PathBuf::from);
    let ran = Command::new(&program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    ran.is_ok_and(|status| status.success()).then_some(program)
}

/// Compiles `module` ahead of time into the user's cache.
pub(crate) fn compile(program: &Path, module: &Path) -> anyhow::Result<PathBuf> {
    toolchains::compile(program, module, || {})
}

/// Serves `compiled` on `port`, which is passed as a setting and as an argument.
pub(crate) fn start(program: &Path, flags: &[String], compiled: &Path, port: u16) -> anyhow::Result<WasmEdge> {
    let child = Command::new(program)
        .args(flags)
        .arg("--env")
        .arg(format!("APP_PORT={port}"))
        .arg(compiled)
        .arg(port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let server = WasmEdge(child);
    let begin = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(begin.elapsed().as_secs() < 60, "WasmEdge does not listen");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Ok(server)
}
