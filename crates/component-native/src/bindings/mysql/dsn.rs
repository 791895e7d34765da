//! Data source names (DSN) of Go's MySQL driver: `user:password@tcp(host:port)/database?param=value`.
//!
//! Follows the section "DSN" of the README of `github.com/go-sql-driver/mysql`. No error message contains any part of a
//! DSN.

use dapr_building_blocks::component::PropertyError;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

const FORM: &str = "of the form user:password@tcp(host:3306)/database";

/// Parameters that only concern Go's driver; they have no effect here.
const IGNORED: [&str; 13] = [
    "allowAllFiles",
    "allowNativePasswords",
    "allowOldPasswords",
    "charset",
    "checkConnLiveness",
    "interpolateParams",
    "loc",
    "maxAllowedPacket",
    "multiStatements",
    "parseTime",
    "readTimeout",
    "rejectReadOnly",
    "writeTimeout",
];

/// Parses a data source name.
pub(super) fn parse(dsn: &str) -> Result<MySqlConnectOptions, PropertyError> {
    let invalid = || PropertyError::invalid("url", FORM);
    // A password may contain any character, also `/` and `@`: the last of each counts, as in Go.
    let (address, database) = dsn.rsplit_once('/').ok_or_else(invalid)?;
    let (database, params) = database.split_once('?').unwrap_or((database, ""));
    let (credentials, network) = address.rsplit_once('@').unwrap_or(("", address));

    let options = match network.split_once('(') {
        Some((protocol, address)) => {
            connect_to(protocol, address.strip_suffix(')').ok_or_else(invalid)?).ok_or_else(invalid)?
        }
        None => connect_to(network, "").ok_or_else(invalid)?,
    };
    let options = log_in(options, credentials);
    let options = if database.is_empty() { options } else { options.database(database) };
    params.split('&').filter(|param| !param.is_empty()).try_fold(options, set)
}

/// Returns options for the address, with Go's defaults for absent parts.
fn connect_to(protocol: &str, address: &str) -> Option<MySqlConnectOptions> {
    // Session settings that sqlx would add and Go's driver does not.
    let options = MySqlConnectOptions::new().pipes_as_concat(false).no_engine_substitution(false).timezone(None);
    match protocol {
        "" | "tcp" if address.is_empty() => Some(options.host("127.0.0.1")),
        "tcp" => {
            let (host, port) = match address.rsplit_once(':') {
                Some((host, port)) if !address.ends_with(']') => (host, port.parse().ok()?),
                _ => (address, 3306),
            };
            let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            Some(options.host(host).port(port))
        }
        "unix" if address.is_empty() => Some(options.socket("/tmp/mysql.sock")),
        "unix" => Some(options.socket(address)),
        _ => None,
    }
}

fn log_in(options: MySqlConnectOptions, credentials: &str) -> MySqlConnectOptions {
    match credentials.split_once(':') {
        Some((user, password)) if !password.is_empty() => options.username(user).password(password),
        // An empty password counts as none, as the server gets different requests for the two.
        Some((user, _)) => options.username(user),
        None => options.username(credentials),
    }
}

fn set(options: MySqlConnectOptions, param: &str) -> Result<MySqlConnectOptions, PropertyError> {
    let (name, value) = param.split_once('=').unwrap_or((param, ""));
    match (name, value) {
        ("tls", "true" | "custom") => Ok(options.ssl_mode(MySqlSslMode::VerifyIdentity)),
        ("tls", "skip-verify") => Ok(options.ssl_mode(MySqlSslMode::Required)),
        ("tls", "preferred") => Ok(options.ssl_mode(MySqlSslMode::Preferred)),
        ("tls", "false") => Ok(options.ssl_mode(MySqlSslMode::Disabled)),
        ("collation", collation) if collation.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            Ok(options.collation(collation))
        }
        // The component has its own connection timeout.
        ("timeout", _) => Ok(options),
        (name, _) if IGNORED.contains(&name) => Ok(options),
        ("tls" | "collation", _) => Err(PropertyError::invalid("url", format!("right in its parameter {name}"))),
        // Go takes any other name for a session variable.
        _ => Err(PropertyError::invalid("url", "free of parameters other than those of the driver")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dsn: &str) -> String {
        let options = parse(dsn).unwrap();
        let database = options.get_database().unwrap_or("-");
        format!("{} {}:{} {database}", options.get_username(), options.get_host(), options.get_port())
    }

    #[test]
    fn complete_dsn_is_parsed() {
        assert_eq!(check("user:pw@tcp(db.example:3307)/events?parseTime=true"), "user db.example:3307 events");
        assert_eq!(check("user:pw@tcp([::1]:3307)/events"), "user ::1:3307 events");
        assert_eq!(check("user@tcp(db.example)/"), "user db.example:3306 -");
        assert_eq!(check("user@tcp([::1])/x"), "user ::1:3306 x");
    }

    #[test]
    fn absent_parts_get_go_defaults() {
        assert_eq!(check("/"), " 127.0.0.1:3306 -");
        assert_eq!(check("user@/db"), "user 127.0.0.1:3306 db");
        let socket = parse("user@unix(/run/mysqld.sock)/db").unwrap();
        assert_eq!(socket.get_socket().unwrap().to_str(), Some("/run/mysqld.sock"));
    }

    #[test]
    fn password_may_contain_any_character() {
        assert_eq!(check("user:p@ss/w:or(d)@tcp(h:1)/db"), "user h:1 db");
    }

    #[test]
    fn tls_modes_match_go() {
        let mode = |tls: &str| parse(&format!("u@tcp(h:1)/d?tls={tls}")).unwrap().get_ssl_mode();
        assert!(matches!(mode("true"), MySqlSslMode::VerifyIdentity));
        assert!(matches!(mode("skip-verify"), MySqlSslMode::Required));
        assert!(matches!(mode("false"), MySqlSslMode::Disabled));
    }

    #[test]
    fn invalid_dsn_is_rejected_without_leaking_it() {
        for wrong in [
            "hunter2",
            "u:hunter2@tcp(h:x)/d",
            "u:hunter2@udp(h:1)/d",
            "u:hunter2@tcp(h:1/d",
            "u@tcp(h:1)/d?tls=hunter2",
            "u@tcp(h:1)/d?hunter2=1",
        ] {
            let error = parse(wrong).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
