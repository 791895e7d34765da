//! `--log-level`: Dapr's levels, and the directives of `RUST_LOG`.

use tracing_subscriber::EnvFilter;

/// Directives for libraries whose debug messages are irrelevant to applications. A directive for a library overrides
/// them.
const QUIET: &str = "cranelift=info,h2=info,hyper=info,hyper_util=info,mio=info,regalloc2=info,rustls=info,tonic=info,\
                     tower=info,wasmtime=info,wasmtime_internal_cranelift=info";

/// Error for an invalid level or directive.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a log level; levels are trace, debug, info, warning, error and off, also as TARGET=LEVEL, separated by commas"
)]
pub(crate) struct LevelError(String);

/// Parses a level, or `TARGET=LEVEL` directives separated by commas.
pub(crate) fn parse_filter(text: &str) -> Result<EnvFilter, LevelError> {
    let error = || LevelError(text.to_owned());
    let mut directives = vec![QUIET.to_owned()];
    for part in text.split(',').map(str::trim) {
        directives.push(match part.rsplit_once('=') {
            Some((target, level)) => format!("{target}={}", parse_level(level).ok_or_else(error)?),
            None => parse_level(part).ok_or_else(error)?.to_owned(),
        });
    }
    EnvFilter::try_new(directives.join(",")).map_err(|_| error())
}

/// Parses a level into `tracing`'s name for it.
///
/// Dapr's additional levels `fatal` and `panic` are treated as errors.
fn parse_level(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "trace" => "trace",
        "debug" => "debug",
        "info" => "info",
        "warn" | "warning" => "warn",
        "error" | "fatal" | "panic" => "error",
        "off" => "off",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dapr_levels_and_directives_are_accepted() {
        for text in ["info", "WARNING", "warn", "fatal", "off", "warn,daprlet=debug", "info, a::b=trace"] {
            assert!(parse_filter(text).is_ok(), "{text}");
        }
        assert!(parse_filter("warning").unwrap().to_string().split(',').any(|directive| directive == "warn"));
    }

    #[test]
    fn unknown_level_is_an_error() {
        for text in ["", "verbose", "info,loud", "daprlet=loud", "warn=warn=", "info;debug"] {
            assert!(parse_filter(text).is_err(), "{text}");
        }
    }
}
