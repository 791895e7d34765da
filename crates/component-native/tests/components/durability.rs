//! `state.sqlite`: durability, and compatibility with Dapr's files.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use dapr_building_blocks::state::{GetRequest, SetRequest};
use dapr_building_blocks::{Metadata, StateStore};
use rusqlite::Connection;

use crate::harness::{create, try_create};

async fn open(file: &Path) -> Arc<dyn StateStore> {
    create("state.sqlite", &[("connectionString", file.to_str().unwrap())]).await.state_store.unwrap()
}

/// The schema that `components-contrib/state/sqlite` 1.18 creates, with rows as its HTTP and gRPC APIs store them.
const MADE_BY_DAPR: &str = "
    CREATE TABLE metadata (key text NOT NULL PRIMARY KEY, value text NOT NULL);
    INSERT INTO metadata VALUES ('migrations', '1');
    CREATE TABLE state (
        key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL, etag TEXT NOT NULL,
        expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    INSERT INTO state (key, value, is_binary, etag) VALUES
        ('app||json', '{\"a\":1}', 0, 'e1'), ('app||bytes', '/wA=', 1, 'e2');
    INSERT INTO state (key, value, is_binary, etag, expiration_time) VALUES
        ('app||gone', '1', 0, 'e3', '2020-01-02 03:04:05'), ('app||later', '1', 0, 'e4', '2999-01-02 03:04:05');";

#[tokio::test]
async fn file_created_by_dapr_is_read_as_in_dapr() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dapr.db");
    Connection::open(&file).unwrap().execute_batch(MADE_BY_DAPR).unwrap();
    let store = open(&file).await;
    let get = async |key: &str| store.get(GetRequest::new(key)).await.unwrap();

    let json = get("app||json").await.unwrap();
    assert_eq!((&json.value[..], json.etag.as_deref()), (&b"{\"a\":1}"[..], Some("e1")));
    assert_eq!(&get("app||bytes").await.unwrap().value[..], [0xff, 0]);
    assert_eq!(get("app||gone").await, None);
    let expiry = ("ttlExpireTime".to_owned(), "2999-01-02T03:04:05Z".to_owned());
    assert_eq!(get("app||later").await.unwrap().metadata, Metadata::from([expiry]));

    let etag = Some("e1".to_owned());
    store.set(SetRequest { etag, ..SetRequest::new("app||json", "2") }).await.unwrap();
}

#[tokio::test]
async fn file_created_here_matches_dapr() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let store = open(&file).await;
    store.set(SetRequest::new("text", "\"t\"")).await.unwrap();
    store.set(SetRequest::new("bytes", &[0xff_u8, 0][..])).await.unwrap();

    let connection = Connection::open(&file).unwrap();
    let row = |key: &str| -> (String, bool, String) {
        let sql = "SELECT value, is_binary, etag FROM state WHERE key = ? AND update_time IS NOT NULL";
        connection.query_row(sql, [key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    };
    assert_eq!((row("text").0.as_str(), row("text").1), ("\"t\"", false));
    assert_eq!((row("bytes").0.as_str(), row("bytes").1), ("/wA=", true));
    assert_eq!(row("text").2.len(), 36);
    let level: String =
        connection.query_row("SELECT value FROM metadata WHERE key = 'migrations'", [], |row| row.get(0)).unwrap();
    assert_eq!(level, "1");
}

#[tokio::test]
async fn expired_rows_are_deleted_with_cleanup_interval() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dapr.db");
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch(MADE_BY_DAPR).unwrap();
    let properties = [("connectionString", file.to_str().unwrap()), ("cleanupInterval", "10ms")];
    let _store = create("state.sqlite", &properties).await;
    let count = || -> i64 { connection.query_row("SELECT count(*) FROM state", [], |row| row.get(0)).unwrap() };
    while count() != 3 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[tokio::test]
async fn two_hosts_can_share_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let (one, other) = (open(&file).await, open(&file).await);
    one.set(SetRequest::new("k", "v")).await.unwrap();
    assert_eq!(other.get(GetRequest::new("k")).await.unwrap().unwrap().value, "v");
}

#[tokio::test]
async fn file_that_is_not_a_database_is_not_retryable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    std::fs::write(&file, "this is a text and no database, and long enough to be looked at as one").unwrap();
    let error = try_create("state.sqlite", &[("connectionString", file.to_str().unwrap())]).await.err().unwrap();
    assert!(!error.is_retryable(), "{error}");
}

/// Variable with the file that the next test's child process writes. The child is this same program, and writes until
/// it is killed.
const FILE: &str = "DURABILITY_TEST_FILE";
const ACKNOWLEDGED: &str = "acknowledged ";

#[tokio::test]
async fn acknowledged_writes_survive_a_killed_process() {
    if let Some(file) = std::env::var_os(FILE) {
        return write_until_killed(Path::new(&file)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::acknowledged_writes_survive_a_killed_process", "--nocapture"])
        .env(FILE, &file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let acknowledged = lines.filter_map(|line| line.strip_prefix(ACKNOWLEDGED).map(str::to_owned)).nth(50).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let store = open(&file).await;
    for key in 0..=acknowledged.parse::<u32>().unwrap() {
        assert!(store.get(GetRequest::new(key.to_string())).await.unwrap().is_some(), "{key} is lost");
    }
}

#[expect(clippy::print_stdout, reason = "the test that started this process reads what it has acknowledged")]
async fn write_until_killed(file: &Path) {
    let store = open(file).await;
    println!();
    for key in 0..u32::MAX {
        store.set(SetRequest::new(key.to_string(), "v")).await.unwrap();
        println!("{ACKNOWLEDGED}{key}");
    }
}
