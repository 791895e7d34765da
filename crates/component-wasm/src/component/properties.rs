//! Properties of a component YAML for the host; all others are for the component itself.

use std::path::PathBuf;
use std::str::FromStr;

use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{ComponentSpec, Context, InitError, Properties};

use crate::digest::Digest;
use crate::grants::{Grants, Preopen};
use crate::options::{Limits, Options};

const MODULE: &str = "module";
const SHA256: &str = "sha256";
const ALLOW_HOSTS: &str = "allowHosts";
const ALLOW_DIRS: &str = "allowDirs";
const ALLOW_ENV: &str = "allowEnv";
const MEMORY_LIMIT: &str = "memoryLimit";
const CALL_TIMEOUT: &str = "callTimeout";
const INSTANCES: &str = "instances";

/// Properties for the host; the component never sees them.
pub const HOST_PROPERTIES: &[&str] =
    &[MODULE, SHA256, ALLOW_HOSTS, ALLOW_DIRS, ALLOW_ENV, MEMORY_LIMIT, CALL_TIMEOUT, INSTANCES];

/// Host settings of a component.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) path: PathBuf,
    pub(super) digest: Option<Digest>,
    pub(super) options: Options,
}

impl Settings {
    /// Reads the properties. Relative paths start from the directory of the YAML.
    pub(super) fn from_spec(spec: ComponentSpec, context: &Context) -> Result<Self, InitError> {
        let ComponentSpec { name, properties, folder, .. } = spec;
        let folder = context.resolve(folder);
        let path = folder.join(properties.required(MODULE)?);
        let digest = match properties.get(SHA256) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| PropertyError::invalid(SHA256, "64 hexadecimal digits"))?),
        };
        let dirs: Vec<Preopen> = list(&properties, ALLOW_DIRS, "a list such as data:store/data, m:models:readonly")?;
        let grants = Grants {
            hosts: list(&properties, ALLOW_HOSTS, "a list such as redis:6379, 10.0.0.1:*")?,
            dirs: dirs.into_iter().map(|dir| dir.below(&folder)).collect(),
            env: environment(&properties, context)?,
        };
        let limits = limits(&properties)?;
        let properties = properties.without(|name| HOST_PROPERTIES.iter().any(|ours| ours.eq_ignore_ascii_case(name)));
        Ok(Self { path, digest, options: Options { name, properties, grants, limits } })
    }
}

/// Parses a comma-separated list.
fn list<T: FromStr>(properties: &Properties, name: &str, expected: &str) -> Result<Vec<T>, PropertyError> {
    let items = properties.get(name).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| item.parse().map_err(|_| PropertyError::invalid(name, expected))).collect()
}

/// Collects the granted variables that exist.
///
/// A missing one is no error: variables may be optional, as for any program.
fn environment(
    properties: &Properties,
    context: &Context,
) -> Result<Vec<(String, dapr_building_blocks::Secret)>, PropertyError> {
    let names: Vec<String> = list(properties, ALLOW_ENV, "a list of names")?;
    let present = names.into_iter().filter_map(|name| {
        let value = context.environment.get(&name)?.clone();
        Some((name, value))
    });
    Ok(present.collect())
}

fn limits(properties: &Properties) -> Result<Limits, PropertyError> {
    let default = Limits::default();
    let memory = match properties.get(MEMORY_LIMIT) {
        None => default.memory,
        Some(text) => bytes(text).ok_or_else(|| PropertyError::invalid(MEMORY_LIMIT, "a size such as 64Mi"))?,
    };
    let call = properties.duration(CALL_TIMEOUT)?.unwrap_or(default.call);
    if call.is_zero() {
        return Err(PropertyError::invalid(CALL_TIMEOUT, "longer than nothing"));
    }
    let instances = properties.int(INSTANCES)?.unwrap_or(default.instances);
    if instances == 0 {
        return Err(PropertyError::invalid(INSTANCES, "at least 1"));
    }
    Ok(Limits { memory, call, instances })
}

/// Parses a size in bytes, as Kubernetes writes it.
fn bytes(text: &str) -> Option<usize> {
    let (digits, unit) = match text.trim().find(|it: char| !it.is_ascii_digit()) {
        Some(end) => text.trim().split_at(end),
        None => (text.trim(), ""),
    };
    let unit = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let spec = ComponentSpec {
            name: "store".into(),
            properties: pairs.iter().copied().collect(),
            folder: "config".into(),
            ..ComponentSpec::default()
        };
        let environment = BTreeMap::from([("HOME".to_owned(), "/h".into()), ("PASSWORD".to_owned(), "hunter2".into())]);
        let context = Context { base_dir: "/base".into(), environment: Arc::new(environment), ..Context::default() };
        Settings::from_spec(spec, &context).map_err(|error| error.to_string())
    }

    #[test]
    fn host_properties_are_read_and_the_rest_passed_on() {
        let digest = Digest::new(b"").to_string();
        let settings = check(&[
            ("module", "stores/s.wasm"),
            ("sha256", &digest),
            ("allowHosts", "redis:6379, 10.0.0.1:*"),
            ("allowDirs", "data:d:readonly"),
            ("allowEnv", "HOME, ABSENT"),
            ("memoryLimit", "64Mi"),
            ("callTimeout", "1500ms"),
            ("instances", "3"),
            ("redisHost", "redis:6379"),
            ("keyPrefix", "none"),
        ])
        .unwrap();
        assert_eq!(settings.path, PathBuf::from("/base/config/stores/s.wasm"));
        assert_eq!(settings.digest, Some(Digest::new(b"")));
        let Options { properties, grants, limits, .. } = settings.options;
        assert_eq!(grants.hosts.len(), 2);
        assert_eq!(grants.dirs, ["data:/base/config/d:readonly".parse().unwrap()]);
        assert_eq!(grants.env, [("HOME".to_owned(), "/h".into())]);
        assert_eq!(limits, Limits { memory: 64 << 20, call: Duration::from_millis(1500), instances: 3 });
        assert_eq!(properties.names().collect::<Vec<_>>(), ["redisHost", "keyPrefix"]);
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let grants = check(&[("module", "/s.wasm")]).unwrap().options.grants;
        assert!(grants.hosts.is_empty() && grants.dirs.is_empty() && grants.env.is_empty());
    }

    #[test]
    fn errors_name_the_property() {
        assert!(check(&[]).unwrap_err().contains("\"module\" is required"));
        for (name, value) in [
            ("sha256", "abc"),
            ("allowHosts", "redis"),
            ("allowDirs", "data"),
            ("memoryLimit", "much"),
            ("memoryLimit", "99999999999Gi"),
            ("callTimeout", "0"),
            ("instances", "0"),
            ("instances", "-1"),
        ] {
            let error = check(&[("module", "s.wasm"), (name, value)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }
}
