//! Output bindings.

use crate::case::{Case, Step, case, dapr};

fn sql(body: &str) -> Step {
    dapr("caller", "POST", "/v1.0/bindings/sql").json(body.to_owned())
}

pub(crate) fn cases() -> Vec<Case> {
    let exec = |statement: &str| sql(&format!(r#"{{"operation":"exec","metadata":{{"sql":"{statement}"}}}}"#));
    let query = |statement: &str| sql(&format!(r#"{{"operation":"query","metadata":{{"sql":"{statement}"}}}}"#));
    let with = |operation: &str, statement: &str, params: &str| {
        sql(&format!(r#"{{"operation":"{operation}","metadata":{{"sql":"{statement}","params":"{params}"}}}}"#))
    };
    let table = "CREATE TABLE IF NOT EXISTS kinds (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(50), big BIGINT, \
                 small TINYINT, yes BOOLEAN, ratio DOUBLE, price DECIMAL(10,2), moment DATETIME, day DATE, raw BLOB, note TEXT, doc JSON)";
    let row = "INSERT INTO kinds (word, big, small, yes, ratio, price, moment, day, raw, note, doc) VALUES \
               ('ä', 9007199254740993, -5, true, 0.1, 12.50, '2026-01-02 03:04:05', '2026-01-02', x'00ff', 'text <b>', '[1]')";
    vec![
        case(
            "binding: a table of many kinds",
            [
                exec("DROP TABLE IF EXISTS kinds"),
                exec(table),
                exec(row),
                query("SELECT * FROM kinds"),
                exec("INSERT INTO kinds (word) VALUES (null)"),
                query("SELECT * FROM kinds WHERE id = 2"),
                query("SELECT count(*) AS n, max(big) AS m FROM kinds"),
                query("SELECT * FROM kinds WHERE id = 99"),
                exec("UPDATE kinds SET word = 'new' WHERE id > 0"),
                exec("DELETE FROM kinds"),
            ],
        ),
        case(
            "binding: parameters",
            [
                exec("DROP TABLE IF EXISTS given"),
                exec("CREATE TABLE given (a VARCHAR(50), b DOUBLE, c BOOLEAN)"),
                with("exec", "INSERT INTO given VALUES (?, ?, ?)", r#"[\"x\", 1.5, true]"#),
                with("exec", "INSERT INTO given VALUES (?, ?, ?)", r"[null, 2, false]"),
                with("query", "SELECT * FROM given WHERE b > ? ORDER BY b", "[1]"),
                with("exec", "INSERT INTO given VALUES (?, ?, ?)", r#"[\"too few\"]"#),
                with("exec", "INSERT INTO given VALUES (?, ?, ?)", "rubbish"),
                with("exec", "INSERT INTO given VALUES (?, ?, ?)", "{}"),
                with("query", "SELECT * FROM given", ""),
            ],
        ),
        case(
            "binding: a zero date",
            [
                exec("CREATE TABLE IF NOT EXISTS zeros (a DATE, b DATETIME, c TIMESTAMP NULL, d DATE)"),
                exec("INSERT INTO zeros VALUES ('0000-00-00', '0000-00-00', '0000-00-00', NULL)"),
                query("SELECT * FROM zeros LIMIT 1"),
            ],
        ),
        case("binding: text is not SQL", [with("query", "SELECT ? AS t", r#"[\"'; DROP TABLE x; --\"]"#)]),
        case("binding: a mistake in SQL", [exec("SELEC 1")]),
        case("binding: a table that is not there", [query("SELECT * FROM nowhere")]),
        case("binding: two statements", [query("SELECT 1; SELECT 2")]),
        case("binding: numbers", [query("SELECT 1 AS a, 1.5 AS b, 'x' AS c, NULL AS d, 18446744073709551615 AS e")]),
        case("binding: an exec that reads", [exec("SELECT 1")]),
        case(
            "binding: a query that writes",
            [exec("DROP TABLE IF EXISTS w"), exec("CREATE TABLE w (a INT)"), query("INSERT INTO w VALUES (1)")],
        ),
        case("binding: no operation", [sql(r#"{"metadata":{"sql":"SELECT 1"}}"#)]),
        case("binding: an empty operation", [sql(r#"{"operation":"","metadata":{"sql":"SELECT 1"}}"#)]),
        case("binding: an unknown operation", [sql(r#"{"operation":"create","metadata":{"sql":"SELECT 1"}}"#)]),
        case("binding: no metadata", [sql(r#"{"operation":"query"}"#)]),
        case("binding: no SQL", [sql(r#"{"operation":"query","metadata":{}}"#)]),
        case("binding: SQL that is empty", [sql(r#"{"operation":"query","metadata":{"sql":""}}"#)]),
        case("binding: metadata with a number", [sql(r#"{"operation":"query","metadata":{"sql":1}}"#)]),
        case(
            "binding: data beside it",
            [sql(r#"{"operation":"query","data":{"x":[1]},"metadata":{"sql":"SELECT 1 AS a"}}"#)],
        ),
        case("binding: no JSON", [sql("x")]),
        case("binding: nothing", [sql("")]),
        case("binding: null", [sql("null")]),
        case("binding: an array", [sql("[]")]),
        case(
            "binding: by PUT",
            [{
                let mut step = query("SELECT 1 AS a");
                "PUT".clone_into(&mut step.method);
                step
            }],
        ),
        case("binding: by GET", [dapr("caller", "GET", "/v1.0/bindings/sql")]),
        case(
            "binding: metadata in the query string",
            [dapr("caller", "POST", "/v1.0/bindings/sql?metadata.sql=SELECT%201").json(r#"{"operation":"query"}"#)],
        ),
        case(
            "binding: an unknown one",
            [dapr("caller", "POST", "/v1.0/bindings/nowhere").json(r#"{"operation":"create"}"#)],
        ),
        case(
            "binding: a component that is none",
            [dapr("caller", "POST", "/v1.0/bindings/memory").json(r#"{"operation":"create"}"#)],
        ),
        case(
            "binding: where there is none",
            [dapr("bare", "POST", "/v1.0/bindings/sql").json(r#"{"operation":"query"}"#)],
        ),
    ]
}
