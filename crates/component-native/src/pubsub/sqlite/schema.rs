//! Tables of the broker. They may lie in a file with other tables, such as those of `state.sqlite`.

use dapr_building_blocks::InitError;
use rusqlite::Connection;

use crate::sqlite::classify;

/// Messages in the order of their commits, positions of the groups, and deliveries that failed.
///
/// A message up to a group's position is processed by it, unless it is among the group's failed deliveries. One that is
/// parked has no time of a next attempt. Times are milliseconds since 1970.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS pubsub_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    data BLOB NOT NULL,
    metadata TEXT NOT NULL,
    content_type TEXT,
    published INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS pubsub_messages_by_topic ON pubsub_messages (topic, id);
CREATE TABLE IF NOT EXISTS pubsub_groups (
    topic TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (topic, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pubsub_failed (
    topic TEXT NOT NULL,
    name TEXT NOT NULL,
    id INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next INTEGER,
    error TEXT NOT NULL,
    PRIMARY KEY (topic, name, id)
) WITHOUT ROWID;
";

/// Creates missing tables.
pub(super) fn create(connection: &Connection) -> Result<(), InitError> {
    connection.execute_batch(TABLES).map_err(classify)
}
