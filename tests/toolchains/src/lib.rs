//! Real programs that daprlet is compared with: their versions, and WasmEdge's ahead-of-time compiler.

mod ahead;
mod wasmtime;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

pub use ahead::compile;
pub use wasmtime::{WASMTIME, wasmtime};

/// Returns the project's directory in the user's cache.
///
/// # Errors
/// If the cache directory is unknown.
pub fn caches() -> Result<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
    let caches = caches.context("no cache folder: neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(caches.join("daprlet"))
}

/// Returns the first number in the output of `program --version`.
///
/// # Errors
/// If it cannot be run, or prints no number.
pub fn version(program: &Path) -> Result<String> {
    let said = Command::new(program).arg("--version").output().with_context(|| program.display().to_string())?;
    let said = String::from_utf8_lossy(&said.stdout);
    number(&said).with_context(|| format!("{} --version says {said:?}", program.display()))
}

fn number(said: &str) -> Option<String> {
    let words = said.split_whitespace().map(|word| word.trim_start_matches("v="));
    words.into_iter().find(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn version_is_found_in_each_programs_output() {
        let found = |said| number(said).unwrap();
        assert_eq!(found("wasmedge version 0.14.1\n (plugin \"wasi_logging\") version 0.1.0.0"), "0.14.1");
        assert_eq!(found("1.18.2"), "1.18.2");
        assert_eq!(found("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc"), "7.0.15");
        assert_eq!(number("no number here"), None);
    }
}
