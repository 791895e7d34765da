//! `wasmedge`'s command line, parsed as WasmEdge parses it.
//!
//! Follows the options of WasmEdge 0.14 and 0.17 (`lib/driver/runtimeTool.cpp`). Options that decide what the guest
//! sees (`--dir`, `--env`, limits) are honoured; those that choose between WasmEdge's own execution modes
//! (`--run-mode`, `--enable-…`, statistics) have no meaning here and are accepted.

use std::path::PathBuf;
use std::time::Duration;

use crate::guest::Preopen;

/// Size of a page of linear memory, in bytes.
const PAGE: usize = 64 * 1024;

/// Options of WasmEdge that take no value and have no effect here.
const SWITCHES: &[&str] = &[
    "--allow-af-unix",
    "--enable-all",
    "--enable-all-statistics",
    "--enable-component",
    "--enable-coredump",
    "--enable-exception-handling",
    "--enable-extended-const",
    "--enable-function-reference",
    "--enable-gas-measuring",
    "--enable-gc",
    "--enable-instruction-count",
    "--enable-jit",
    "--enable-memory64",
    "--enable-multi-memory",
    "--enable-relaxed-simd",
    "--enable-tail-call",
    "--enable-threads",
    "--enable-time-measuring",
    "--coredump-for-wasmgdb",
    "--disable-bulk-memory",
    "--disable-import-export-mut-globals",
    "--disable-multi-value",
    "--disable-non-trap-float-to-int",
    "--disable-reference-types",
    "--disable-sign-extension-operators",
    "--disable-simd",
    "--force-interpreter",
    "--wasm-1",
    "--wasm-2",
    "--wasm-3",
];

/// Options that take a value and have no effect here.
const IGNORED_VALUES: &[&str] = &["--run-mode", "--gas-limit", "--forbidden-plugin", "--log-level"];

/// Options that take a value and have an effect.
const VALUES: &[&str] = &["--env", "--dir", "--memory-page-limit", "--nn-preload", "--time-limit"];

/// A `wasmedge …` command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WasmEdgeCommand {
    /// Path of the module.
    pub module: PathBuf,
    /// Arguments after the module.
    pub arguments: Vec<String>,
    /// `--env NAME=VALUE`.
    pub environment: Vec<(String, String)>,
    /// `--dir GUEST[:HOST[:readonly]]`.
    pub preopens: Vec<Preopen>,
    /// `--memory-page-limit`, converted to bytes.
    pub memory: Option<usize>,
    /// `--time-limit`.
    pub time_limit: Option<Duration>,
    /// `--nn-preload NAME:ONNX:CPU:FILE`: name and file of a model that the guest may run.
    pub graphs: Vec<(String, PathBuf)>,
}

/// An error in a `wasmedge` command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The command line names no module.
    #[error("wasmedge: no module is named; give the path of a .wasm file")]
    NoModule,
    /// WasmEdge has no such option.
    #[error("wasmedge: unknown option {0}")]
    UnknownOption(String),
    /// An option lacks its value.
    #[error("wasmedge: {0} needs a value")]
    MissingValue(String),
    /// An option's value is invalid.
    #[error("wasmedge: {option} cannot be {value:?}: {reason}")]
    BadValue {
        /// The option.
        option: String,
        /// The value.
        value: String,
        /// The reason it is invalid.
        reason: &'static str,
    },
    /// `--reactor` runs one function of a library, not a service.
    #[error("wasmedge: --reactor runs single functions of a library, which is no service")]
    Reactor,
}

impl WasmEdgeCommand {
    /// Returns whether `program` is WasmEdge, at whatever path.
    #[must_use]
    pub fn is_wasmedge(program: &str) -> bool {
        let name = std::path::Path::new(program).file_name().and_then(|name| name.to_str());
        matches!(name, Some("wasmedge" | "wasmedge.exe"))
    }

    /// Parses the arguments after `wasmedge`.
    ///
    /// # Errors
    /// The first error found.
    pub fn parse(arguments: &[String]) -> Result<Self, CommandError> {
        let mut command = Self::default();
        let mut rest = arguments.iter();
        // `wasmedge run` is the long form of `wasmedge`.
        if rest.as_slice().first().is_some_and(|first| first == "run") {
            rest.next();
        }
        while let Some(argument) = rest.next() {
            if argument == "--" {
                break;
            }
            if !argument.starts_with('-') {
                command.module = argument.into();
                command.arguments = rest.cloned().collect();
                return Ok(command);
            }
            let (option, inline) = match argument.split_once('=') {
                Some((option, value)) => (option, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            if SWITCHES.contains(&option) {
                continue;
            }
            if option == "--reactor" {
                return Err(CommandError::Reactor);
            }
            if !takes_value(option) {
                return Err(CommandError::UnknownOption(option.to_owned()));
            }
            let value =
                inline.or_else(|| rest.next().cloned()).ok_or_else(|| CommandError::MissingValue(option.to_owned()))?;
            command.set(option, value)?;
        }
        match rest.next() {
            Some(module) => {
                command.module = module.into();
                command.arguments = rest.cloned().collect();
                Ok(command)
            }
            None => Err(CommandError::NoModule),
        }
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), CommandError> {
        let bad = |reason| CommandError::BadValue { option: option.to_owned(), value: value.clone(), reason };
        match option {
            "--env" => {
                let (name, content) = value.split_once('=').ok_or_else(|| bad("it has the form NAME=VALUE"))?;
                self.environment.push((name.to_owned(), content.to_owned()));
            }
            "--dir" => self.preopens.push(preopen(&value).ok_or_else(|| bad("it has the form GUEST_PATH:HOST_PATH"))?),
            "--nn-preload" => self.graphs.push(graph(&value).map_err(bad)?),
            "--memory-page-limit" => {
                let pages: usize = value.parse().map_err(|_| bad("it is a number of 64 KiB pages"))?;
                self.memory = Some(pages.saturating_mul(PAGE));
            }
            "--time-limit" => {
                let millis = value.parse().map_err(|_| bad("it is a number of milliseconds"))?;
                self.time_limit = Some(Duration::from_millis(millis));
            }
            _ => {}
        }
        Ok(())
    }
}

fn takes_value(option: &str) -> bool {
    IGNORED_VALUES.contains(&option) || VALUES.contains(&option)
}

/// Parses `GUEST:HOST`, `GUEST:HOST:readonly`, or one path that is the same on both sides.
fn preopen(value: &str) -> Option<Preopen> {
    let (value, read_only) = match value.strip_suffix(":readonly") {
        Some(value) => (value, true),
        None => (value, false),
    };
    let (guest, host) = value.split_once(':').unwrap_or((value, value));
    (!guest.is_empty() && !host.is_empty()).then(|| Preopen { host: host.into(), guest: guest.to_owned(), read_only })
}

/// Parses `NAME:ENCODING:TARGET:FILE`, as WasmEdge's plug-in does; encoding and target in any case.
///
/// The only target is `CPU`, which `AUTO` resolves to.
fn graph(value: &str) -> Result<(String, PathBuf), &'static str> {
    let parts: Vec<_> = value.splitn(4, ':').collect();
    let &[name, encoding, target, file] = parts.as_slice() else { return Err("it has the form NAME:ONNX:CPU:FILE") };
    if !["onnx", "autodetect"].contains(&encoding.to_lowercase().as_str()) {
        return Err("the graphs that are computed here are ONNX: NAME:ONNX:CPU:FILE");
    }
    if !["cpu", "auto"].contains(&target.to_lowercase().as_str()) {
        return Err("graphs are computed on the CPU here: NAME:ONNX:CPU:FILE");
    }
    if name.is_empty() || file.is_empty() {
        return Err("it has the form NAME:ONNX:CPU:FILE");
    }
    Ok((name.to_owned(), file.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<WasmEdgeCommand, CommandError> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        WasmEdgeCommand::parse(&words)
    }

    #[test]
    fn options_after_the_module_belong_to_the_guest() {
        let command = parse("--dir /data:host/data --env A=b=c --run-mode aot service.wasm --env X=y --dir").unwrap();
        assert_eq!(command.module, PathBuf::from("service.wasm"));
        assert_eq!(command.arguments, ["--env", "X=y", "--dir"]);
        assert_eq!(command.environment, [("A".into(), "b=c".into())]);
        let data = Preopen { host: "host/data".into(), guest: "/data".into(), read_only: false };
        assert_eq!(command.preopens, [data]);
    }

    #[test]
    fn both_value_spellings_and_run_subcommand_parse() {
        let command =
            parse("run --dir=.:. --dir models:m:readonly --memory-page-limit=16 --enable-all s.wasm").unwrap();
        assert_eq!(command.memory, Some(1 << 20));
        assert_eq!(command.preopens.iter().map(|it| it.read_only).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn nn_preload_parses_as_in_wasmedges_plugin() {
        let command = parse("--nn-preload default:ONNX:CPU:m/a.onnx --nn-preload=b:onnx:auto:C:b.onnx s.wasm").unwrap();
        assert_eq!(command.graphs, [("default".into(), "m/a.onnx".into()), ("b".into(), "C:b.onnx".into())]);
        for wrong in ["a:onnx:b.onnx", "a:ggml:auto:x", "a:onnx:tpu:x", "a:onnx:cpu:", ":onnx:cpu:x"] {
            let refused = parse(&format!("--nn-preload {wrong} s.wasm"));
            assert!(matches!(refused, Err(CommandError::BadValue { .. })), "{wrong}: {refused:?}");
        }
    }

    #[test]
    fn errors_name_the_option() {
        assert_eq!(parse("--env A=b"), Err(CommandError::NoModule));
        assert_eq!(parse("--frobnicate s.wasm"), Err(CommandError::UnknownOption("--frobnicate".into())));
        assert_eq!(parse("--env"), Err(CommandError::MissingValue("--env".into())));
        assert!(matches!(parse("--env A s.wasm"), Err(CommandError::BadValue { .. })));
        assert_eq!(parse("--reactor s.wasm f"), Err(CommandError::Reactor));
    }
}
