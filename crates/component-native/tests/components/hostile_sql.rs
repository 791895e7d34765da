//! Hostile statements through `bindings.mysql` on a SQLite file.

use std::path::Path;
use std::time::Duration;

use crate::mysql::Binding;

/// Another file in the same directory, to which the binding has no access.
const OTHER: &str = "other.db";

async fn on_directory(test: impl AsyncFnOnce(Binding, &Path)) {
    let directory = tempfile::tempdir().unwrap();
    let other = rusqlite::Connection::open(directory.path().join(OTHER)).unwrap();
    other.execute_batch("CREATE TABLE state (value TEXT); INSERT INTO state VALUES ('CANARY')").unwrap();
    let file = directory.path().join("events.db");
    let binding = Binding::open(&format!("sqlite:{}", file.display())).await;
    binding.exec("CREATE TABLE t (x)", "").await;
    test(binding, directory.path()).await;
    let mut names: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| !name.to_string_lossy().starts_with("events.db"));
    assert_eq!(names, [OTHER]);
}

#[tokio::test]
async fn statements_beyond_the_own_file_are_denied() {
    on_directory(async |binding, directory| {
        let directory = directory.display();
        let statements = [
            format!("ATTACH DATABASE '{directory}/new.db' AS p"),
            format!("/* x */ aTtAcH\n\t'{directory}/{OTHER}' AS -- y\n s"),
            format!("ATTACH 'file:{directory}/{OTHER}?mode=ro' AS s"),
            format!("ATTACH ('{directory}' || '/{OTHER}') AS s"),
            "ATTACH ':memory:' AS s".to_owned(),
            "ATTACH ? AS s".to_owned(),
            "ATTACH '' AS s".to_owned(),
            format!("EXPLAIN ATTACH '{directory}/{OTHER}' AS s"),
            "DETACH main".to_owned(),
            format!("VACUUM INTO '{directory}/copy.db'"),
            format!("vacuum/**/main INTO\n'{directory}/copy.db'"),
            "VACUUM INTO ?".to_owned(),
            "VACUUM".to_owned(),
            format!("SELECT 1; ATTACH '{directory}/new.db' AS p"),
            "SELECT load_extension('x')".to_owned(),
            "WITH c(x) AS (SELECT LOAD_EXTENSION('x', 'y')) SELECT * FROM c".to_owned(),
            "SELECT fts3_tokenizer('simple')".to_owned(),
            "SELECT fts3_tokenizer('simple', x'00')".to_owned(),
            format!("SELECT readfile('{directory}/{OTHER}')"),
            format!("SELECT writefile('{directory}/new', 'x')"),
            format!("CREATE VIRTUAL TABLE v USING csv(filename='{directory}/{OTHER}')"),
            "CREATE VIRTUAL TABLE v USING fts3tokenize".to_owned(),
            "CREATE VIRTUAL TABLE temp.v USING fts5(x)".to_owned(),
            format!("CREATE TRIGGER g AFTER INSERT ON t BEGIN ATTACH '{directory}/new.db' AS p; END"),
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT load_extension('x'); END; ".to_owned()
                + "INSERT INTO t VALUES (1)",
        ];
        for sql in statements {
            for operation in ["exec", "query"] {
                let params = if sql.contains('?') { format!(r#"["{directory}/new.db"]"#) } else { String::new() };
                let denied = binding.call(operation, &sql, &params).await;
                assert!(denied.is_err(), "{operation} {sql}: {denied:?}");
            }
        }
        assert_eq!(binding.query("SELECT x FROM t", "").await, "null");
    })
    .await;
}

#[tokio::test]
async fn harmful_functions_in_triggers_are_denied() {
    on_directory(async |binding, _| {
        binding.exec("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT load_extension('x'); END", "").await;
        let error = binding.call("exec", "INSERT INTO t VALUES (1)", "").await.unwrap_err().to_string();
        assert!(error.contains("not authorized"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn pragmas_that_write_or_reveal_paths_are_denied() {
    on_directory(async |binding, _| {
        for sql in [
            "PRAGMA database_list",
            "pragma/**/main . database_list",
            "SELECT * FROM pragma_database_list",
            "SELECT (SELECT file FROM pragma_database_list LIMIT 1)",
            "EXPLAIN PRAGMA database_list",
            "PRAGMA journal_mode = OFF",
            "PRAGMA journal_mode(delete)",
            "PRAGMA synchronous = 0",
            "PRAGMA writable_schema = ON",
            "PRAGMA trusted_schema = ON",
            "PRAGMA temp_store_directory = '/tmp'",
            "PRAGMA data_store_directory = '/tmp'",
            "PRAGMA locking_mode = EXCLUSIVE",
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "PRAGMA hard_heap_limit = 1",
            "PRAGMA soft_heap_limit = 1",
            "PRAGMA mmap_size = 1000000000",
            "PRAGMA cache_size = 1000000",
            "PRAGMA user_version = 7",
            "PRAGMA optimize",
            "PRAGMA shrink_memory",
        ] {
            let error = binding.call("query", sql, "").await.unwrap_err().to_string();
            assert!(error.contains("not authorized") || error.contains("prohibited"), "{sql}: {error}");
        }
        assert!(binding.query("PRAGMA table_info(t)", "").await.contains(r#""name":"x""#));
        assert_eq!(binding.query("SELECT name FROM pragma_table_info('t')", "").await, r#"[{"name":"x"}]"#);
        assert_eq!(binding.query("PRAGMA user_version", "").await, r#"[{"user_version":0}]"#);
    })
    .await;
}

#[tokio::test]
async fn temp_objects_that_outlive_the_call_are_denied() {
    on_directory(async |binding, _| {
        for sql in [
            "CREATE TEMP TABLE t (x)",
            "CREATE TABLE temp.t (x)",
            "CREATE TEMP VIEW t AS SELECT 1",
            "CREATE TEMPORARY TRIGGER g AFTER INSERT ON main.t BEGIN DELETE FROM t; END",
            "CREATE TABLE temp.t AS SELECT 1",
            "CREATE TRIGGER temp.g AFTER INSERT ON main.t BEGIN DELETE FROM t; END",
            "CREATE VIEW temp.t AS SELECT 1",
        ] {
            let error = binding.call("exec", sql, "").await.unwrap_err().to_string();
            assert!(error.contains("not authorized"), "{sql}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn changes_to_own_schema_are_allowed() {
    on_directory(async |binding, _| {
        for sql in [
            "CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT)",
            "CREATE INDEX i ON u (a)",
            "CREATE VIEW v AS SELECT a FROM u",
            "CREATE TRIGGER g AFTER INSERT ON u BEGIN INSERT INTO t VALUES (new.a); END",
            "INSERT INTO u (a) VALUES ('x') ON CONFLICT DO UPDATE SET a = 'y'",
            "ALTER TABLE u ADD COLUMN b",
            "ALTER TABLE u RENAME COLUMN b TO c",
            "REPLACE INTO u (id, a) VALUES (1, upper('z'))",
            "ANALYZE",
            "REINDEX u",
            "DROP TRIGGER g",
            "DROP VIEW v",
            "ALTER TABLE u RENAME TO w",
            "ALTER TABLE w DROP COLUMN c",
            "DROP INDEX i",
            "DROP TABLE w",
        ] {
            binding.call("exec", sql, "").await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    })
    .await;
}

#[tokio::test]
async fn virtual_tables_within_the_file_are_allowed() {
    on_directory(async |binding, _| {
        binding.exec("CREATE VIRTUAL TABLE words USING fts5(text)", "").await;
        binding.exec("INSERT INTO words VALUES ('a red fox')", "").await;
        let found = binding.query("SELECT text FROM words WHERE words MATCH 'fox'", "").await;
        assert_eq!(found, r#"[{"text":"a red fox"}]"#);
        assert!(binding.call("exec", "INSERT INTO words_data VALUES (99, x'00')", "").await.is_err());
        binding.exec("CREATE VIRTUAL TABLE boxes USING rtree(id, a, b)", "").await;
        binding.exec("INSERT INTO boxes VALUES (1, 2, 3)", "").await;
        binding.exec("DROP TABLE words", "").await;
    })
    .await;
}

#[tokio::test]
async fn open_transaction_is_rolled_back_with_an_error() {
    on_directory(async |binding, directory| {
        for sql in ["BEGIN", "begin immediate", "/**/BEGIN EXCLUSIVE TRANSACTION", "SAVEPOINT s"] {
            let error = binding.call("exec", sql, "").await.unwrap_err().to_string();
            assert!(error.contains("rolled back"), "{sql}: {error}");
            binding.exec("INSERT INTO t VALUES (?)", &format!("[{sql:?}]")).await;
            assert!(binding.call("exec", "ROLLBACK", "").await.is_err());
            // Another process sees the row: it is committed.
            let reader = rusqlite::Connection::open(directory.join("events.db")).unwrap();
            let rows: i64 = reader.query_row("SELECT count(*) FROM t WHERE x = ?", [sql], |row| row.get(0)).unwrap();
            assert_eq!(rows, 1, "{sql}");
        }
    })
    .await;
}

const ENDLESS: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c";

#[tokio::test]
async fn endless_statement_is_interrupted_with_an_error() {
    on_directory(async |binding, _| {
        let error = binding.call("query", ENDLESS, "").await.unwrap_err().to_string();
        assert!(error.contains("took longer than 5s"), "{error}");
        assert_eq!(binding.query("SELECT 1 AS one", "").await, r#"[{"one":1}]"#);
    })
    .await;
}

#[tokio::test]
async fn statement_is_interrupted_when_caller_leaves() {
    on_directory(async |binding, _| {
        for _ in 0..20 {
            // Each statement would take five seconds.
            let left = tokio::time::timeout(Duration::from_millis(20), binding.call("query", ENDLESS, "")).await;
            left.unwrap_err();
        }
        let started = std::time::Instant::now();
        assert_eq!(binding.exec("INSERT INTO t VALUES (1)", "").await, "1");
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    })
    .await;
}

#[tokio::test]
async fn results_beyond_limits_are_rejected() {
    let series = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 200000) ";
    on_directory(async |binding, _| {
        for (sql, expected) in [
            (format!("{series} SELECT x FROM c"), "larger than 100000 rows"),
            (format!("{series} SELECT printf('%.*c', 1000000, 'x') AS s FROM c"), "larger than 16777216 bytes"),
            ("SELECT zeroblob(1000000000) AS z".to_owned(), "too big"),
            ("SELECT printf('%.*c', 1000000000, 'x') AS z".to_owned(), "too big"),
        ] {
            let error = binding.call("query", &sql, "").await.unwrap_err().to_string();
            assert!(error.contains(expected), "{sql}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn statement_with_many_large_values_hits_heap_limit() {
    on_directory(async |binding, _| {
        let values = vec!["randomblob(1000000)"; 400].join(", ");
        let error = binding.call("query", &format!("SELECT {values}"), "").await.unwrap_err().to_string();
        assert!(error.contains("out of memory"), "{error}");
        assert_eq!(binding.exec("INSERT INTO t VALUES (1)", "").await, "1");
    })
    .await;
}
