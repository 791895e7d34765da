//! Periodic deletion of expired rows. `components-contrib/common/component/sql/cleanup.go`.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::row::Tables;

/// Tolerance of the interval since the last cleanup, so that jitter skips no turn. Same as in Dapr.
const INTERVAL_TOLERANCE: Duration = Duration::from_millis(100);

pub(super) struct Cleanup {
    interval: Duration,
    pub(super) due: Instant,
}

impl Cleanup {
    pub(super) fn every(interval: Duration) -> Self {
        Self { interval, due: Instant::now() + interval }
    }

    /// Deletes expired rows, unless another process did so for the same file within the interval.
    ///
    /// After a failure, the next attempt is at the next turn.
    pub(super) fn run(&mut self, connection: &Connection, tables: &Tables) {
        self.due = Instant::now() + self.interval;
        match self.delete_expired(connection, tables) {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "removed expired state"),
            Err(error) => tracing::warn!(%error, "cannot remove expired state"),
        }
    }

    fn delete_expired(&self, connection: &Connection, tables: &Tables) -> rusqlite::Result<usize> {
        let claim = format!(
            "INSERT INTO {} (key, value) VALUES ('last-cleanup', CURRENT_TIMESTAMP)
            ON CONFLICT (key) DO UPDATE SET value = CURRENT_TIMESTAMP
            WHERE (unixepoch(CURRENT_TIMESTAMP) - unixepoch(value)) * 1000 > ?",
            tables.metadata
        );
        let interval = self.interval.saturating_sub(INTERVAL_TOLERANCE).as_millis();
        if connection.execute(&claim, [i64::try_from(interval).unwrap_or(i64::MAX)])? == 0 {
            return Ok(0);
        }
        let delete = format!(
            "DELETE FROM {} WHERE expiration_time IS NOT NULL AND expiration_time < CURRENT_TIMESTAMP",
            tables.state
        );
        connection.execute(&delete, [])
    }
}
