//! Statements of an app that holds nothing but the SQL binding.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{Response, request};

use super::Attack;
use crate::target::Target;

pub(super) fn all() -> Vec<Attack> {
    vec![
        Attack::new("statement: other files", |_| {}, other_files),
        Attack::new("statement: never ends", |_| {}, never_ends).loading_clients(),
        Attack::new("statement: huge result", |_| {}, huge_result).loading_clients(),
        Attack::new("statement: open transaction", |_| {}, open_transaction),
    ]
}

/// Tries to read and write files that are not the binding's.
fn other_files(target: &Target, _: Duration) -> Result<String> {
    let directory = target.deployment.folder();
    let escape = directory.join("escaped").display().to_string();
    let saved =
        target.deployment.dapr("POST", "/v1.0/state/statestore").body(r#"[{"key":"private","value":"secret"}]"#);
    ensure!(saved.send().status == 204, "no state is saved");
    let statements = [
        format!("ATTACH DATABASE '{escape}' AS other"),
        format!("VACUUM INTO '{escape}'"),
        "ATTACH DATABASE 'data/state.db' AS s".to_owned(),
        "PRAGMA database_list".to_owned(),
        "PRAGMA journal_mode = DELETE".to_owned(),
        "PRAGMA writable_schema = 1".to_owned(),
        "SELECT load_extension('x')".to_owned(),
        format!("SELECT writefile('{escape}', 'x')"),
        "SELECT * FROM sqlite_dbpage".to_owned(),
    ];
    for statement in &statements {
        for operation in ["exec", "query"] {
            let response = invoke(target, operation, statement);
            ensure!(response.status >= 400, "{statement} as {operation}: {} {}", response.status, response.text());
        }
    }
    ensure!(!directory.join("escaped").exists(), "a file was written");
    Ok(format!("{} refused", statements.len()))
}

/// Asks for a result that no time is enough for, and leaves.
fn never_ends(target: &Target, duration: Duration) -> Result<String> {
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c";
    let port = target.deployment.ports.events_dapr;
    let body = serde_json::json!({ "operation": "query", "metadata": { "sql": endless } }).to_string();
    let head = format!("POST /v1.0/bindings/events-db HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len());
    let streams: Vec<_> = (0..4).map(|_| crate::raw::connect(port)).collect::<Result<_, _>>()?;
    for mut stream in &streams {
        std::io::Write::write_all(&mut stream, format!("{head}{body}").as_bytes())?;
    }
    std::thread::sleep(duration);
    drop(streams);
    let event = r#"{"event_ts":1,"op_type":"later","input_size":1}"#;
    let status = target.deployment.events("POST", "/create_event").body(event).send().status;
    ensure!(status == 200, "an event afterwards: {status}");
    Ok("interrupted".to_owned())
}

/// Asks for rows of a gigabyte.
fn huge_result(target: &Target, _: Duration) -> Result<String> {
    let sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 1000) \
               SELECT hex(randomblob(500000)) FROM c";
    let response = invoke(target, "query", sql);
    let memory = target.peak_memory();
    ensure!(memory < 700, "the process had {memory} MiB");
    Ok(response.status.to_string())
}

/// Leaves a transaction open, so that a later, acknowledged event would be lost with it.
fn open_transaction(target: &Target, _: Duration) -> Result<String> {
    let begun = invoke(target, "exec", "BEGIN");
    let event = r#"{"event_ts":424242,"op_type":"acknowledged","input_size":1}"#;
    let created = target.deployment.events("POST", "/create_event").body(event).send();
    ensure!(created.status == 200, "an event afterwards: {}", created.status);
    // Another transaction on the same connection would fail if the first one were still open.
    let again = invoke(target, "exec", "BEGIN");
    ensure!(begun.status == again.status, "BEGIN: {}, then {}", begun.status, again.status);
    Ok(format!("BEGIN: {}", begun.status))
}

fn invoke(target: &Target, operation: &str, sql: &str) -> Response {
    let url = format!("http://127.0.0.1:{}/v1.0/bindings/events-db", target.deployment.ports.events_dapr);
    let body = serde_json::json!({ "operation": operation, "metadata": { "sql": sql } });
    request("POST", &url).body(body.to_string()).send()
}
