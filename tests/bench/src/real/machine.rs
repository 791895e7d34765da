//! The machine and the versions of a measurement.

use std::path::Path;

use toolchains::version;

/// A WasmEdge, and the flags with which it runs compiled modules.
pub(crate) struct WasmEdge {
    pub(crate) version: String,
    pub(crate) flags: Vec<String>,
}

impl WasmEdge {
    /// Detects the version: 0.14 runs compiled modules by default; from 0.17 on, they need a flag.
    pub(crate) fn detect(program: &Path) -> anyhow::Result<Self> {
        let version = version(program)?;
        let is_old = ["0.13", "0.14", "0.15", "0.16"].iter().any(|old| version.starts_with(old));
        let flags = if is_old { Vec::new() } else { vec!["--run-mode".to_owned(), "aot".to_owned()] };
        Ok(Self { version, flags })
    }
}

/// Describes machine and versions, one line each.
pub(crate) fn describe(daprd: &Path, wasmedge: &WasmEdge) -> anyhow::Result<Vec<String>> {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism()?;
    Ok(vec![
        format!("Machine: {cores} cores, {model}"),
        format!("daprlet: {}", version(&e2e::program())?),
        format!("Dapr: daprd {}", version(daprd)?),
        format!("WasmEdge: {}, compiled ahead of time", wasmedge.version),
        format!("Redis: {}", version(Path::new("redis-server"))?),
        format!("MariaDB: {}", version(Path::new("mariadbd"))?),
    ])
}
