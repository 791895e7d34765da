//! The repository in SQL, over any connection.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::dialect::Dialect;
use super::{DatabaseError, EventRepository};
use crate::event::{NewEvent, StoredEvent, whole_number};
use crate::page::Page;

/// Runs statements on a database. Values are sent as parameters, never as part of a statement.
#[async_trait]
pub(super) trait SqlAccess: Send + Sync {
    /// Runs a statement.
    async fn exec(&self, sql: &str, params: &[Value]) -> Result<(), DatabaseError>;

    /// Runs a query; each row is an object with the columns' names.
    async fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Value>, DatabaseError>;
}

/// Table with one row that `/healthz` writes, valid in both dialects.
const HEALTH_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS image_evts_health (id INTEGER NOT NULL PRIMARY KEY, checked INTEGER NOT NULL)";

/// A repository.
pub(super) struct SqlRepository<A> {
    pub(super) access: A,
    pub(super) dialect: Dialect,
}

#[derive(Deserialize)]
struct Count {
    #[serde(deserialize_with = "whole_number")]
    n: u64,
}

impl<A: SqlAccess> SqlRepository<A> {
    async fn is_there(&self, count: &str) -> Result<bool, DatabaseError> {
        let rows = self.access.query(count, &[]).await?;
        let counts: Vec<Count> = read(rows)?;
        Ok(counts.first().is_some_and(|count| count.n > 0))
    }
}

#[async_trait]
impl<A: SqlAccess> EventRepository for SqlRepository<A> {
    async fn migrate(&self) -> Result<(), DatabaseError> {
        self.access.exec(self.dialect.create_table(), &[]).await?;
        if !self.is_there(self.dialect.count_column()).await? {
            self.access.exec("ALTER TABLE image_evts ADD COLUMN event_id VARCHAR(36) NULL", &[]).await?;
        }
        if !self.is_there(self.dialect.count_index()).await? {
            self.access.exec("CREATE UNIQUE INDEX image_evts_event_id ON image_evts (event_id)", &[]).await?;
        }
        self.access.exec(HEALTH_TABLE, &[]).await
    }

    async fn record(&self, event: &NewEvent) -> Result<(), DatabaseError> {
        let NewEvent { event_ts, op_type, input_size, event_id } = event;
        let params = [(*event_ts).into(), op_type.as_str().into(), (*input_size).into(), event_id.as_deref().into()];
        self.access.exec(self.dialect.insert(), &params).await
    }

    async fn list(&self, page: Page) -> Result<Vec<StoredEvent>, DatabaseError> {
        // The limit is a validated number. It is part of the statement because Dapr's binding sends every number as
        // floating-point, which MySQL rejects here.
        let Page { limit, before, after } = page;
        let columns = "SELECT id, event_ts, op_type, input_size FROM image_evts";
        if let Some(id) = after {
            let sql = format!("{columns} WHERE id > ? ORDER BY id LIMIT {limit}");
            return read(self.access.query(&sql, &[id.into()]).await?);
        }
        let rows = match before {
            Some(id) => {
                let sql = format!("{columns} WHERE id < ? ORDER BY id DESC LIMIT {limit}");
                self.access.query(&sql, &[id.into()]).await?
            }
            None => self.access.query(&format!("{columns} ORDER BY id DESC LIMIT {limit}"), &[]).await?,
        };
        let mut events: Vec<StoredEvent> = read(rows)?;
        events.reverse();
        Ok(events)
    }

    async fn clear(&self) -> Result<(), DatabaseError> {
        self.access.exec("DELETE FROM image_evts", &[]).await
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        // Reading does not detect a full disk, so this writes.
        let written = self.access.exec("REPLACE INTO image_evts_health (id, checked) VALUES (1, 1)", &[]).await;
        let Err(error) = written else { return Ok(()) };
        if self.access.query("SELECT id FROM image_evts_health", &[]).await.is_ok() {
            return Err(error);
        }
        // Before `/init` there is no table to write to.
        self.access.query("SELECT 1 AS n", &[]).await.map(drop)
    }
}

fn read<T: for<'de> Deserialize<'de>>(rows: Vec<Value>) -> Result<Vec<T>, DatabaseError> {
    serde_json::from_value(Value::Array(rows)).map_err(DatabaseError::Response)
}
