//! Properties of `state.redis` that a Wasm component supports.

use std::time::Duration;

use dapr_component::{Properties, PropertyError};
use redis_layout::Server;

/// Longest timeout: beyond the limit of hosts, and small enough for every system's clock.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// Reads the server and its timeouts.
pub(crate) fn server(properties: &Properties) -> Result<Server, PropertyError> {
    reject_unsupported(properties)?;
    let server = Server::read(properties)?;
    Ok(Server {
        dial_timeout: server.dial_timeout.min(MAX_TIMEOUT),
        read_timeout: server.read_timeout.min(MAX_TIMEOUT),
        ..server
    })
}

/// Rejects unsupported properties, rather than connecting without them.
fn reject_unsupported(properties: &Properties) -> Result<(), PropertyError> {
    if properties.bool("enableTLS")? == Some(true) {
        return Err(PropertyError::invalid("enableTLS", "false: a Wasm component has no TLS"));
    }
    for name in ["failover", "useEntraID", "useOIDC"] {
        if properties.bool(name)? == Some(true) {
            return Err(PropertyError::invalid(name, "false: this component does not have it"));
        }
    }
    match properties.get("redisType") {
        None | Some("node") => Ok(()),
        Some(_) => Err(PropertyError::invalid("redisType", "node: this component knows no clusters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<Server, String> {
        server(&[("redisHost", "db"), (name, value)].into_iter().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn unsupported_properties_are_rejected_by_name() {
        for (name, value) in [("enableTLS", "true"), ("redisType", "cluster"), ("failover", "true")] {
            let error = check(name, value).err().unwrap();
            assert!(error.contains(name), "{error}");
        }
        assert!(check("enableTLS", "false").is_ok() && check("redisType", "node").is_ok());
    }

    #[test]
    fn timeouts_are_at_most_an_hour() {
        assert_eq!(check("readTimeout", "9223372036854775807").unwrap().read_timeout, MAX_TIMEOUT);
        assert_eq!(check("dialTimeout", "2h").unwrap().dial_timeout, MAX_TIMEOUT);
    }

    #[test]
    fn error_messages_never_show_values() {
        for name in ["redisPort", "redisDB", "enableTLS", "redisType", "readTimeout", "dialTimeout"] {
            let error = check(name, "hunter2").err().unwrap();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
    }
}
