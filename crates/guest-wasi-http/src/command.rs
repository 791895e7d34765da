//! Command line of `wasmtime serve`, parsed as wasmtime parses it.
//!
//! Follows `wasmtime serve --help` of wasmtime 48. Options that determine what the service sees (`--dir`, `--env`,
//! memory) and how its instances are used are honoured. Options that select how wasmtime runs it (`-O`, `-C`, `-D`,
//! most of `-S` and `-W`) have no meaning here and are accepted.

use std::path::PathBuf;

use crate::options::Preopen;

/// Parsed `wasmtime serve …` command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServeCommand {
    /// Component file.
    pub component: PathBuf,
    /// `--env NAME=VALUE`.
    pub environment: Vec<(String, String)>,
    /// `--dir HOST[::GUEST]`.
    pub preopens: Vec<Preopen>,
    /// `--max-instance-reuse-count`.
    pub reuse: Option<u32>,
    /// `--max-concurrent-requests`.
    pub instances: Option<usize>,
    /// `-W max-memory-size`, in bytes.
    pub memory: Option<usize>,
    /// `-S nn-graph=onnx::FOLDER`: name and file of a graph that the service may use.
    ///
    /// The name is that of the directory; its file is `model.onnx`.
    pub graphs: Vec<(String, PathBuf)>,
}

/// Error in a `wasmtime serve` command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Another wasmtime command.
    #[error("wasmtime: only `wasmtime serve` runs a service; {0:?} does not")]
    NotServe(String),
    /// Missing component.
    #[error("wasmtime serve: no component is given; add the path of a .wasm file")]
    NoComponent,
    /// Option that wasmtime does not have.
    #[error("wasmtime serve: unknown option {0}")]
    UnknownOption(String),
    /// Option without its value.
    #[error("wasmtime serve: {0} needs a value")]
    MissingValue(String),
    /// `--env` without a value, which wasmtime would take from its own environment. Services of this host do not see
    /// it.
    #[error("wasmtime serve: --env {0} has no value; write --env {0}=VALUE")]
    BareVariable(String),
    /// Graph in an unsupported form.
    #[error(
        "wasmtime serve: -S nn-graph cannot be {0:?}: it has the form onnx::FOLDER, and the directory has a model.onnx"
    )]
    BadGraph(String),
    /// Option whose value is not a number.
    #[error("wasmtime serve: {option} cannot be {value:?}: it must be a number")]
    BadNumber {
        /// Name of the option.
        option: String,
        /// Value of the option.
        value: String,
    },
}

/// Options with a value that have no effect here. For example, the app port decides the address.
const IGNORED_VALUES: &[&str] = &[
    "--addr",
    "--shutdown-addr",
    "--idle-instance-timeout",
    "--max-concurrent-connections",
    "--max-instance-concurrent-reuse-count",
    "--config",
    "--profile",
];

/// Options without a value that have no effect here.
const SWITCHES: &[&str] = &["--no-logging-prefix"];

/// Groups of settings, `-Sa,b=c` or `-S a,b=c`.
const GROUPS: &[&str] = &["-O", "-C", "-D", "-W", "-S"];

impl ServeCommand {
    /// Returns true if `program` is wasmtime, at any path.
    #[must_use]
    pub fn is_wasmtime(program: &str) -> bool {
        let name = std::path::Path::new(program).file_name().and_then(|name| name.to_str());
        matches!(name, Some("wasmtime" | "wasmtime.exe"))
    }

    /// Parses the arguments after `wasmtime`.
    ///
    /// # Errors
    /// The first error found.
    pub fn parse(arguments: &[String]) -> Result<Self, CommandError> {
        let mut rest = arguments.iter();
        match rest.next().map(String::as_str) {
            Some("serve") => {}
            other => return Err(CommandError::NotServe(other.unwrap_or_default().to_owned())),
        }
        let mut command = Self::default();
        let mut component = None;
        while let Some(argument) = rest.next() {
            if !argument.starts_with('-') {
                component = Some(argument.into());
                continue;
            }
            if SWITCHES.contains(&argument.as_str()) {
                continue;
            }
            let (option, inline) = split(argument);
            if !takes_value(option) {
                return Err(CommandError::UnknownOption(option.to_owned()));
            }
            let value = inline.or_else(|| rest.next().cloned());
            command.set(option, value.ok_or_else(|| CommandError::MissingValue(option.to_owned()))?)?;
        }
        command.component = component.ok_or(CommandError::NoComponent)?;
        Ok(command)
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), CommandError> {
        match option {
            "--env" => {
                let (name, content) = value.split_once('=').ok_or(CommandError::BareVariable(value.clone()))?;
                self.environment.push((name.to_owned(), content.to_owned()));
            }
            "--dir" => {
                let (host, guest) = value.split_once("::").unwrap_or((&value, &value));
                self.preopens.push(Preopen { host: host.into(), guest: guest.to_owned(), read_only: false });
            }
            "--max-instance-reuse-count" => self.reuse = Some(number(option, &value)?),
            "--max-concurrent-requests" => self.instances = Some(number(option, &value)?),
            "-W" => {
                for setting in value.split(',') {
                    if let Some(bytes) = setting.strip_prefix("max-memory-size=") {
                        self.memory = Some(number("-W max-memory-size", bytes)?);
                    }
                }
            }
            "-S" => {
                for setting in value.split(',') {
                    if let Some(graph) = setting.strip_prefix("nn-graph=") {
                        self.graphs.push(parse_graph(graph).ok_or_else(|| CommandError::BadGraph(graph.to_owned()))?);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Parses a graph's name and file, by wasmtime's rule.
fn parse_graph(graph: &str) -> Option<(String, PathBuf)> {
    let folder = PathBuf::from(graph.strip_prefix("onnx::")?);
    let name = folder.file_name()?.to_str()?.to_owned();
    Some((name, folder.join("model.onnx")))
}

/// Splits an argument into an option and its inline value, if it has one.
fn split(argument: &str) -> (&str, Option<String>) {
    if let Some(group) = GROUPS.iter().find(|group| argument.starts_with(**group)) {
        let rest = argument.get(group.len()..).unwrap_or_default();
        return (group, (!rest.is_empty()).then(|| rest.to_owned()));
    }
    match argument.split_once('=') {
        Some((option, value)) => (option, Some(value.to_owned())),
        None => (argument, None),
    }
}

fn takes_value(option: &str) -> bool {
    IGNORED_VALUES.contains(&option)
        || GROUPS.contains(&option)
        || matches!(option, "--env" | "--dir" | "--max-instance-reuse-count" | "--max-concurrent-requests")
}

fn number<N: std::str::FromStr>(option: &str, value: &str) -> Result<N, CommandError> {
    value.parse().map_err(|_| CommandError::BadNumber { option: option.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<ServeCommand, CommandError> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        ServeCommand::parse(&words)
    }

    #[test]
    fn relevant_options_are_parsed_and_others_ignored() {
        let command = parse(
            "serve --addr 127.0.0.1:9 -Scli,keyvalue -S http -W max-memory-size=1048576,simd --env A=b=c \
             --dir models::/m --max-instance-reuse-count=7 s.wasm",
        )
        .unwrap();
        assert_eq!(command.component, PathBuf::from("s.wasm"));
        assert_eq!(command.environment, [("A".to_owned(), "b=c".to_owned())]);
        assert_eq!(command.preopens, [Preopen { host: "models".into(), guest: "/m".into(), read_only: false }]);
        assert_eq!((command.reuse, command.memory), (Some(7), Some(1 << 20)));
    }

    #[test]
    fn graph_is_named_by_its_directory() {
        let command = parse("serve -S nn,nn-graph=onnx::models/default -Snn-graph=onnx::b/ s.wasm").unwrap();
        let file = |path: &str| PathBuf::from(path).join("model.onnx");
        assert_eq!(command.graphs, [("default".into(), file("models/default")), ("b".into(), file("b"))]);
        for wrong in ["openvino::models/default", "models/default", "onnx::", "onnx::.."] {
            let refused = parse(&format!("serve -S nn-graph={wrong} s.wasm"));
            assert_eq!(refused, Err(CommandError::BadGraph(wrong.to_owned())));
        }
    }

    #[test]
    fn errors_name_the_option() {
        assert_eq!(parse("run s.wasm"), Err(CommandError::NotServe("run".into())));
        assert_eq!(parse("serve"), Err(CommandError::NoComponent));
        assert_eq!(parse("serve --frobnicate s.wasm"), Err(CommandError::UnknownOption("--frobnicate".into())));
        assert_eq!(parse("serve --env"), Err(CommandError::MissingValue("--env".into())));
        assert_eq!(parse("serve --env A s.wasm"), Err(CommandError::BareVariable("A".into())));
        assert!(matches!(parse("serve --max-concurrent-requests x s.wasm"), Err(CommandError::BadNumber { .. })));
    }
}
