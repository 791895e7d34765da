//! Rows of the state table.
//!
//! A value that is text is stored unchanged with `is_binary` 0, as Dapr stores values from its HTTP API; other bytes
//! are stored as base64 with `is_binary` 1, as values from gRPC.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dapr_building_blocks::state::{
    Concurrency, DeleteRequest, Operation, SetRequest, StateItem, TTL_EXPIRE_TIME, TTL_IN_SECONDS, TimeToLive,
    time_to_live,
};
use dapr_building_blocks::{Metadata, StateError};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::sqlite::is_unavailable;

const LIVE: &str = "(expiration_time IS NULL OR expiration_time > CURRENT_TIMESTAMP)";

/// Names of the two tables, and the statements on them.
#[derive(Clone)]
pub(super) struct Tables {
    pub(super) state: String,
    pub(super) metadata: String,
    sql: Arc<Statements>,
}

struct Statements {
    get: String,
    put: String,
    put_first: String,
    put_with_etag: String,
    delete: String,
    delete_with_etag: String,
}

impl Tables {
    pub(super) fn new(state: String, metadata: String) -> Self {
        let columns = "(key, value, is_binary, etag, update_time, expiration_time)";
        let values = "?1, ?2, ?3, ?4, CURRENT_TIMESTAMP, DATETIME(CURRENT_TIMESTAMP, ?5)";
        let sql = Arc::new(Statements {
            get: format!(
                "SELECT value, is_binary, etag, strftime('%Y-%m-%dT%H:%M:%SZ', expiration_time)
                FROM {state} WHERE key = ? AND {LIVE}"
            ),
            put: format!("INSERT OR REPLACE INTO {state} {columns} VALUES ({values})"),
            put_first: format!(
                "INSERT OR REPLACE INTO {state} {columns} SELECT {values}
                WHERE NOT EXISTS (SELECT 1 FROM {state} WHERE key = ?1 AND {LIVE})"
            ),
            put_with_etag: format!(
                "UPDATE {state} SET value = ?2, is_binary = ?3, etag = ?4, update_time = CURRENT_TIMESTAMP,
                expiration_time = DATETIME(CURRENT_TIMESTAMP, ?5) WHERE key = ?1 AND etag = ?6 AND {LIVE}"
            ),
            delete: format!("DELETE FROM {state} WHERE key = ?"),
            delete_with_etag: format!("DELETE FROM {state} WHERE key = ? AND etag = ?"),
        });
        Self { state, metadata, sql }
    }
}

pub(super) fn get(connection: &Connection, tables: &Tables, key: &str) -> Result<Option<StateItem>, StateError> {
    let mut statement = connection.prepare_cached(&tables.sql.get).map_err(failure)?;
    let row = statement.query_row([key], |row| {
        Ok((row.get_ref(0)?.as_bytes()?.to_vec(), row.get(1)?, row.get(2)?, row.get::<_, Option<String>>(3)?))
    });
    let Some((value, is_binary, etag, expires)) = row.optional().map_err(failure)? else {
        return Ok(None);
    };
    let value: Vec<u8> = value;
    let value =
        if is_binary { STANDARD.decode(value).map_err(|error| StateError::Other(error.into()))? } else { value };
    let metadata: Metadata = expires.into_iter().map(|time| (TTL_EXPIRE_TIME.to_owned(), time)).collect();
    Ok(Some(StateItem { value: value.into(), etag: Some(etag), metadata, content_type: None }))
}

pub(super) fn ping(connection: &Connection) -> Result<(), StateError> {
    connection.query_row("SELECT 1", [], |_| Ok(())).map_err(failure)
}

/// Applies one operation within the open transaction.
pub(super) fn apply(connection: &Connection, tables: &Tables, operation: &Operation) -> Result<(), StateError> {
    match operation {
        Operation::Upsert(request) => set(connection, tables, request),
        Operation::Delete(request) => delete(connection, tables, request),
    }
}

fn set(connection: &Connection, tables: &Tables, request: &SetRequest) -> Result<(), StateError> {
    let ttl = ttl(&request.metadata)?.map(|ttl| format!("+{} seconds", ttl.as_secs()));
    let (key, etag) = (&request.key, Uuid::new_v4().to_string());
    let (value, is_binary) = encode(&request.value);
    let prepare = |sql: &str| connection.prepare_cached(sql);
    let changed = |rows: rusqlite::Result<usize>| rows.map(|rows| rows > 0).map_err(failure);
    match (request.required_etag(), request.options.concurrency) {
        (Some(given), _) => {
            let mut statement = prepare(&tables.sql.put_with_etag).map_err(failure)?;
            let written = changed(statement.execute(params![key, value, is_binary, etag, ttl, given]))?;
            if written { Ok(()) } else { Err(StateError::EtagMismatch(None)) }
        }
        (None, Concurrency::FirstWrite) => {
            let mut statement = prepare(&tables.sql.put_first).map_err(failure)?;
            let written = changed(statement.execute(params![key, value, is_binary, etag, ttl]))?;
            if written { Ok(()) } else { Err(StateError::EtagMismatch(None)) }
        }
        (None, Concurrency::LastWrite | Concurrency::Unset) => {
            let mut statement = prepare(&tables.sql.put).map_err(failure)?;
            changed(statement.execute(params![key, value, is_binary, etag, ttl])).map(|_| ())
        }
    }
}

/// Maximum time to live, in seconds.
const MAX_TTL: u64 = i32::MAX as u64;

/// Parses the time to live as `components-contrib/state/utils/ttl.go`, which accepts `-1` and no other negative number.
fn ttl(metadata: &Metadata) -> Result<Option<Duration>, StateError> {
    let wrong = |why: &str| {
        let name = TTL_IN_SECONDS;
        StateError::InvalidRequest(format!("error parsing TTL: incorrect value for metadata '{name}': {why}"))
    };
    let ttl = time_to_live(metadata).map_err(|why| wrong(&format!("strconv.ParseInt: {why}")))?;
    let is_minus_one = || metadata.get(TTL_IN_SECONDS).is_some_and(|text| text.parse() == Ok(-1));
    let is_negative = metadata.get(TTL_IN_SECONDS).is_some_and(|text| text.starts_with('-'));
    let is_below = is_negative && ttl == TimeToLive::Forever && !is_minus_one();
    if is_below || ttl.duration().is_some_and(|ttl| ttl.as_secs() > MAX_TTL) {
        return Err(wrong("must be -1 or greater"));
    }
    Ok(ttl.duration())
}

fn delete(connection: &Connection, tables: &Tables, request: &DeleteRequest) -> Result<(), StateError> {
    let Some(given) = request.required_etag() else {
        let mut statement = connection.prepare_cached(&tables.sql.delete).map_err(failure)?;
        return statement.execute([&request.key]).map(|_| ()).map_err(failure);
    };
    let mut statement = connection.prepare_cached(&tables.sql.delete_with_etag).map_err(failure)?;
    match statement.execute([&request.key, given]).map_err(failure)? {
        0 => Err(StateError::EtagMismatch(None)),
        _ => Ok(()),
    }
}

/// Returns the text to store, and true if it is base64.
fn encode(value: &Bytes) -> (std::borrow::Cow<'_, str>, bool) {
    match std::str::from_utf8(value) {
        // A zero byte ends the text for programs that read the file through C strings.
        Ok(text) if !value.contains(&0) => (text.into(), false),
        _ => (STANDARD.encode(value).into(), true),
    }
}

/// Converts a SQLite error: a locked database may be available later.
pub(super) fn failure(error: rusqlite::Error) -> StateError {
    if is_unavailable(&error) { StateError::Unavailable(error.into()) } else { StateError::Other(error.into()) }
}
