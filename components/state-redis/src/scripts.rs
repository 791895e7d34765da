//! The two scripts for all writes and deletes.

use redis::{Pipeline, RedisResult, Script};
use redis_layout::{DELETE, SET};

use crate::connection::Connection;
use crate::request::{Delete, Write};

pub(crate) struct Scripts {
    set: Script,
    delete: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self { set: Script::new(SET), delete: Script::new(DELETE) }
    }
}

impl Scripts {
    pub(crate) fn set(&self, connection: &mut Connection, write: &Write<'_>) -> RedisResult<i64> {
        let mut call = self.set.key(write.key);
        call.arg(&write.etag).arg(write.value).arg(u8::from(write.is_first)).arg(&write.ttl);
        call.invoke(connection)
    }

    pub(crate) fn delete(&self, connection: &mut Connection, delete: &Delete<'_>) -> RedisResult<i64> {
        self.delete.key(delete.key).arg(delete.etag).invoke(connection)
    }
}

/// Adds a write to a transaction, with the script's text: an unknown script could not be retried there.
pub(crate) fn add_set(pipe: &mut Pipeline, write: &Write<'_>) {
    let set = pipe.cmd("EVAL").arg(SET).arg(1).arg(write.key);
    // As in Dapr, a transaction has no first writes.
    set.arg(&write.etag).arg(write.value).arg(0).arg(&write.ttl);
}

/// Adds a delete to a transaction.
pub(crate) fn add_delete(pipe: &mut Pipeline, delete: &Delete<'_>) {
    pipe.cmd("EVAL").arg(DELETE).arg(1).arg(delete.key).arg(delete.etag);
}
