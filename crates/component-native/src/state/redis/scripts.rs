//! Calls of the two scripts behind every write and delete.

use dapr_building_blocks::state::{SetRequest, TimeToLive};
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, Script};
use redis_layout::{DELETE, SET, ttl_argument};

pub(super) struct Scripts {
    set: Script,
    delete: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self { set: Script::new(SET), delete: Script::new(DELETE) }
    }
}

impl Scripts {
    pub(super) async fn set(
        &self,
        mut connection: MultiplexedConnection,
        request: &SetRequest,
        etag: &str,
        first_write: bool,
        ttl: TimeToLive,
    ) -> RedisResult<i64> {
        let mut call = self.set.key(&request.key);
        call.arg(etag).arg(&*request.value).arg(u8::from(first_write)).arg(ttl_argument(ttl));
        call.invoke_async(&mut connection).await
    }

    pub(super) async fn delete(
        &self,
        mut connection: MultiplexedConnection,
        key: &str,
        etag: &str,
    ) -> RedisResult<i64> {
        self.delete.key(key).arg(etag).invoke_async(&mut connection).await
    }

    /// Adds a write to a transaction, with the script's text: a transaction cannot retry an unknown script.
    pub(super) fn add_set(&self, pipe: &mut Pipeline, request: &SetRequest, etag: &str, ttl: TimeToLive) {
        let set = pipe.cmd("EVAL").arg(SET).arg(1).arg(&request.key);
        set.arg(etag).arg(&*request.value).arg(0).arg(ttl_argument(ttl));
    }

    /// Adds a delete to a transaction.
    pub(super) fn add_delete(&self, pipe: &mut Pipeline, key: &str, etag: &str) {
        pipe.cmd("EVAL").arg(DELETE).arg(1).arg(key).arg(etag);
    }
}
