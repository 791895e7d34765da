//! Properties of `state.sqlite`. `components-contrib/common/authentication/sqlite/metadata.go`.

use std::time::Duration;

use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Context, Properties};

use super::row::Tables;
use crate::sqlite::Database;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Pragmas that have a property of their own, or that would break assumptions of the store.
const FORBIDDEN_PRAGMAS: [&str; 3] = ["busy_timeout", "journal_mode", "foreign_keys"];

pub(super) struct Config {
    pub(super) database: Database,
    pub(super) tables: Tables,
    /// Timeout of one operation.
    pub(super) timeout: Duration,
    /// Interval of deleting expired rows; `None` for never, which is Dapr's default.
    pub(super) cleanup_interval: Option<Duration>,
}

impl Config {
    pub(super) fn read(properties: &Properties, context: &Context) -> Result<Self, PropertyError> {
        let connection = match properties.get("url") {
            Some(url) if properties.get("connectionString").is_none() => url,
            _ => properties.required("connectionString")?,
        };
        let mut database = parse_connection_string(connection, context)?;
        database.busy_timeout = properties.duration("busyTimeout")?.unwrap_or(DEFAULT_BUSY_TIMEOUT);
        if properties.bool("disableWAL")?.unwrap_or(false) {
            database.write_ahead_log = false;
        }
        let timeout = match properties.duration("timeout")? {
            None => properties.duration("timeoutInSeconds")?.unwrap_or(DEFAULT_TIMEOUT),
            Some(timeout) => timeout,
        };
        if timeout < SHORTEST_TIMEOUT {
            return Err(PropertyError::invalid("timeout", "at least 1s"));
        }
        let interval = match properties.duration("cleanupInterval")? {
            None => properties.duration("cleanupIntervalInSeconds")?,
            interval => interval,
        };
        let tables = Tables::new(identifier(properties, "tableName", "state")?, {
            identifier(properties, "metadataTableName", "metadata")?
        });
        Ok(Self { database, tables, timeout, cleanup_interval: interval.filter(|interval| !interval.is_zero()) })
    }
}

/// Parses `data.db`, `file:data.db?mode=ro&_pragma=cache_size(-2000)`, or `:memory:`.
fn parse_connection_string(text: &str, context: &Context) -> Result<Database, PropertyError> {
    let invalid = |expected: &str| PropertyError::invalid("connectionString", expected);
    let text = text.strip_prefix("file:").unwrap_or(text);
    let (path, options) = text.split_once('?').unwrap_or((text, ""));
    if path.is_empty() {
        return Err(invalid("the path of a database file, or :memory:"));
    }
    let mut database = Database::at(context.resolve(path), DEFAULT_BUSY_TIMEOUT);
    if path.eq_ignore_ascii_case(":memory:") {
        database.file = None;
    }
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=').unwrap_or((option, "")) {
            ("mode", "memory") => database.file = None,
            ("mode", "ro") | ("immutable", "1") => database.read_only = true,
            ("_pragma", pragma) => database.pragmas.push(parse_pragma(pragma).ok_or_else(|| {
                invalid("free of _pragma options other than name(value), busy_timeout, journal_mode and foreign_keys")
            })?),
            // Options for transactions and shared caches in Go's driver; here transactions are always "immediate", on
            // one connection.
            ("_txlock" | "cache" | "mode" | "immutable", _) => {}
            _ => return Err(invalid("a path with no options but mode, immutable, cache, _txlock and _pragma")),
        }
    }
    Ok(database)
}

/// Parses `name(value)`.
fn parse_pragma(text: &str) -> Option<(String, String)> {
    let (name, value) = text.strip_suffix(')')?.split_once('(')?;
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let name = name.to_ascii_lowercase();
    (is_word(&name) && is_word(value) && !FORBIDDEN_PRAGMAS.contains(&name.as_str())).then(|| (name, value.to_owned()))
}

/// Returns a table name.
///
/// It becomes part of SQL text without escaping, so only letters, digits and underscores are allowed.
fn identifier(properties: &Properties, name: &str, default: &str) -> Result<String, PropertyError> {
    let value = properties.get(name).unwrap_or(default);
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(value.to_owned())
    } else {
        Err(PropertyError::invalid(name, "made of letters, digits and underscores"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(properties: &[(&str, &str)]) -> Result<Config, PropertyError> {
        let context = Context { base_dir: "/base".into(), ..Context::default() };
        Config::read(&properties.iter().copied().collect(), &context)
    }

    fn database(connection: &str) -> Database {
        check(&[("connectionString", connection)]).unwrap().database
    }

    #[test]
    fn path_is_relative_to_base_dir_with_or_without_scheme() {
        assert_eq!(database("data/state.db").file.as_deref(), Some(Path::new("/base/data/state.db")));
        assert_eq!(database("file:/abs.db?mode=rwc").file.as_deref(), Some(Path::new("/abs.db")));
        assert_eq!(database(":memory:").file, None);
        assert!(database("a.db?mode=ro").read_only);
    }

    #[test]
    fn pragmas_are_accepted_unless_forbidden() {
        assert_eq!(database("a.db?_pragma=cache_size(-2000)").pragmas, [("cache_size".into(), "-2000".into())]);
        for wrong in ["busy_timeout(1)", "JOURNAL_MODE(OFF)", "x", "x(1);DROP TABLE y", "x()"] {
            let connection = format!("a.db?_pragma={wrong}");
            assert!(check(&[("connectionString", &connection)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn missing_or_invalid_property_is_named() {
        let message = |properties: &[(&str, &str)]| check(properties).err().unwrap().to_string();
        assert_eq!(message(&[]), "property \"connectionString\" is required");
        let table = message(&[("url", "a.db"), ("tableName", "a; DROP TABLE b")]);
        assert_eq!(table, "property \"tableName\" must be made of letters, digits and underscores");
        assert_eq!(message(&[("url", "a.db"), ("timeout", "10ms")]), "property \"timeout\" must be at least 1s");
    }

    #[test]
    fn durations_have_dapr_aliases_and_defaults() {
        let config = check(&[("url", "a.db"), ("timeoutInSeconds", "30"), ("cleanupIntervalInSeconds", "-1")]).unwrap();
        assert_eq!((config.timeout, config.cleanup_interval), (Duration::from_secs(30), None));
        let config = check(&[("url", "a.db"), ("cleanupInterval", "1h")]).unwrap();
        assert_eq!(config.cleanup_interval, Some(Duration::from_secs(3600)));
        assert_eq!((config.timeout, config.database.busy_timeout), (DEFAULT_TIMEOUT, DEFAULT_BUSY_TIMEOUT));
    }
}
