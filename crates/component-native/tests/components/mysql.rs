//! `bindings.mysql`, on a SQLite file and on a MariaDB.

use std::sync::Arc;

use dapr_building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};
use dapr_building_blocks::{Metadata, OutputBinding};
use test_servers::{free_port, mariadb};

use crate::harness::{create, try_create};

pub(crate) struct Binding(Arc<dyn OutputBinding>);

impl Binding {
    pub(crate) async fn open(url: &str) -> Self {
        Self(create("bindings.mysql", &[("url", url)]).await.output_binding.unwrap())
    }

    pub(crate) async fn call(&self, operation: &str, sql: &str, params: &str) -> Result<InvokeResponse, BindingError> {
        let metadata = Metadata::from([("sql".into(), sql.into()), ("params".into(), params.into())]);
        self.0.invoke(InvokeRequest { operation: operation.into(), metadata, ..InvokeRequest::default() }).await
    }

    pub(crate) async fn exec(&self, sql: &str, params: &str) -> String {
        let response = self.call("exec", sql, params).await.unwrap();
        assert_eq!(response.data, None);
        response.metadata["rows-affected"].clone()
    }

    pub(crate) async fn query(&self, sql: &str, params: &str) -> String {
        let response = self.call("query", sql, params).await.unwrap();
        String::from_utf8(response.data.unwrap().to_vec()).unwrap()
    }
}

async fn on_file(test: impl AsyncFnOnce(Binding)) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/events.db");
    test(Binding::open(&format!("sqlite:{}", file.display())).await).await;
}

async fn on_server(test: impl AsyncFnOnce(Binding)) {
    let Some(server) = mariadb() else { return };
    test(Binding::open(&format!("root:@tcp(127.0.0.1:{})/mysql?parseTime=true", server.port)).await).await;
}

async fn rows_are_objects(binding: Binding) {
    binding.exec("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(50), score DOUBLE, raw BLOB)", "").await;
    let insert = "INSERT INTO t (id, name, score) VALUES (?, ?, ?), (?, ?, ?)";
    let affected = binding.exec(insert, r#"[1700000000001, "<ü>'; DROP TABLE t", 1.5, 2, null, 3]"#).await;
    assert_eq!(affected, "2");
    let rows = binding.query("SELECT id, name, score FROM t ORDER BY id DESC", "[]").await;
    let first = r#"{"id":1700000000001,"name":"\u003cü\u003e'; DROP TABLE t","score":1.5}"#;
    assert_eq!(rows, format!(r#"[{first},{{"id":2,"score":3}}]"#));
    assert_eq!(binding.query("SELECT id FROM t WHERE id = ?", "[99]").await, "null");
    assert_eq!(binding.exec("DELETE FROM t WHERE id = ?", "[2]").await, "1");
}

async fn response_metadata_describes_the_operation(binding: Binding) {
    let metadata = binding.call("query", "SELECT 1", "").await.unwrap().metadata;
    let names: Vec<&str> = metadata.keys().map(String::as_str).collect();
    assert_eq!(names, ["duration", "end-time", "operation", "sql", "start-time"]);
    assert_eq!((metadata["operation"].as_str(), metadata["sql"].as_str()), ("query", "SELECT 1"));
    assert!(metadata["start-time"].ends_with('Z') && metadata["duration"].ends_with('s'), "{metadata:?}");
}

async fn invalid_requests_are_rejected(binding: Binding) {
    for (operation, sql, params, said) in [
        ("query", "", "", "required metadata not set: sql"),
        ("query", "SELECT 1", "{}", "invalid metadata property params"),
        ("upsert", "SELECT 1", "", "invalid operation type: upsert. Expected exec, query, or close"),
        ("query", "SELEKT 1", "", "error executing query"),
    ] {
        let error = binding.call(operation, sql, params).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(binding.call("close", "", "").await.unwrap(), InvokeResponse::default());
    assert_eq!(binding.call("query", "SELECT 1", "").await.unwrap_err().to_string(), "component is closed");
    binding.call("close", "", "").await.unwrap();
}

async fn mysql_types_are_encoded_as_in_go(binding: Binding) {
    binding
        .exec(
            "CREATE TABLE types (a INT UNSIGNED, b DECIMAL(10,2), c DATETIME(3), d DATE, e TIME, f BLOB,
             g TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, h FLOAT, i TINYINT(1), j ENUM('x'), k BLOB, l YEAR)",
            "",
        )
        .await;
    let insert = "INSERT INTO types VALUES (4294967295, 1.50, '2026-01-02 03:04:05.25', '2026-01-02', '-01:02:03',
                  x'ff00', 'text', 1.1, 1, 'x', NULL, 2026)";
    binding.exec(insert, "").await;
    let expected = concat!(
        r#"[{"a":4294967295,"b":"1.50","c":"2026-01-02T03:04:05.25Z","d":"2026-01-02T00:00:00Z","e":"-01:02:03","#,
        r#""f":"/wA=","g":"text","h":1.1,"i":1,"j":"x","k":null,"l":2026}]"#
    );
    assert_eq!(binding.query("SELECT * FROM types", "").await, expected);
    // A zero date is Go's zero time, not NULL.
    binding.exec("CREATE TABLE zeros (a DATE, b DATETIME, c DATETIME(6), d TIMESTAMP NULL, e DATE)", "").await;
    binding.exec("INSERT INTO zeros VALUES ('0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', NULL)", "").await;
    let zero = |name: &str| format!(r#""{name}":"0001-01-01T00:00:00Z""#);
    let expected = format!("[{{{}}}]", ["a", "b", "c", "d"].map(zero).join(","));
    assert_eq!(binding.query("SELECT * FROM zeros", "").await, expected);
}

#[tokio::test]
async fn file_rows_are_objects() {
    on_file(rows_are_objects).await;
}

#[tokio::test]
async fn file_response_metadata_describes_the_operation() {
    on_file(response_metadata_describes_the_operation).await;
}

#[tokio::test]
async fn file_invalid_requests_are_rejected() {
    on_file(invalid_requests_are_rejected).await;
}

#[tokio::test]
async fn file_blobs_are_base64() {
    on_file(async |binding: Binding| {
        assert_eq!(binding.query("SELECT x'ff00' AS b, NULL AS n", "").await, r#"[{"b":"/wA="}]"#);
    })
    .await;
}

#[tokio::test]
async fn mariadb_behaves_like_a_file() {
    on_server(async |binding: Binding| {
        rows_are_objects(Binding(binding.0.clone())).await;
        response_metadata_describes_the_operation(Binding(binding.0.clone())).await;
        mysql_types_are_encoded_as_in_go(Binding(binding.0.clone())).await;
        invalid_requests_are_rejected(binding).await;
    })
    .await;
}

#[tokio::test]
async fn unreachable_server_is_retryable_and_password_secret() {
    let url = format!("root:hunter2@tcp(127.0.0.1:{})/db", free_port());
    let error = try_create("bindings.mysql", &[("url", &url)]).await.err().unwrap();
    assert!(error.is_retryable(), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn wrong_password_is_not_retryable() {
    let Some(server) = mariadb() else { return };
    let url = format!("root:hunter2@tcp(127.0.0.1:{})/mysql", server.port);
    let error = try_create("bindings.mysql", &[("url", &url)]).await.err().unwrap();
    assert!(!error.is_retryable(), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn lost_server_and_its_return_are_noticed_quickly() {
    let Some(mut server) = mariadb() else { return };
    let binding = Binding::open(&format!("root:@tcp(127.0.0.1:{})/mysql", server.port)).await;
    assert_eq!(binding.query("SELECT 1 AS one", "").await, r#"[{"one":1}]"#);
    server.kill();
    let error = binding.call("query", "SELECT 1 AS one", "").await.unwrap_err();
    // The pool itself would have reported a timeout.
    assert!(matches!(&error, BindingError::Unavailable(why) if why.to_string().contains("refused")), "{error}");
    server.restart();
    assert_eq!(binding.query("SELECT 1 AS one", "").await, r#"[{"one":1}]"#);
}
