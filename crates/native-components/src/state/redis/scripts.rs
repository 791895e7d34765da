//! The two scripts that make a write or delete and the check of its etag one step.
//!
//! The rules are those of `setDefaultQuery` and `delDefaultQuery` in `components-contrib/state/redis/redis.go`; a refusal
//! is an error as there, and the expiry belongs to the step.

use building_blocks::state::{SetRequest, TimeToLive};
use redis::aio::ConnectionManager;
use redis::{Pipeline, RedisResult, Script};

/// The etag of a request that has none; versions start at 1.
pub(super) const NO_ETAG: &str = "0";

/// Arguments: etag, value, whether it is a first write, seconds to live (0 for ever, nothing to leave it as it is).
const SET: &str = "
    local expected, value, first, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
    local version = redis.pcall('HGET', KEYS[1], 'version')
    if type(version) == 'table' then
        redis.call('DEL', KEYS[1])
        version = false
    end
    if version and version ~= '' and version ~= expected then
        if expected ~= '0' or redis.call('HEXISTS', KEYS[1], 'first-write') == 1 then
            return error('failed to set key ' .. KEYS[1])
        end
    end
    redis.call('HSET', KEYS[1], 'data', value)
    if first == '1' then
        redis.call('HSET', KEYS[1], 'first-write', 0)
    end
    if ttl == '0' then
        redis.call('PERSIST', KEYS[1])
    elseif ttl ~= '' then
        redis.call('EXPIRE', KEYS[1], ttl)
    end
    return redis.call('HINCRBY', KEYS[1], 'version', 1)";

/// Argument: etag.
const DELETE: &str = "
    local expected = ARGV[1]
    local version = redis.pcall('HGET', KEYS[1], 'version')
    if type(version) == 'string' and version ~= '' and expected ~= '0' and version ~= expected then
        return error('failed to delete ' .. KEYS[1])
    end
    return redis.call('DEL', KEYS[1])";

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
        connection: &ConnectionManager,
        request: &SetRequest,
        etag: &str,
        first_write: bool,
        ttl: TimeToLive,
    ) -> RedisResult<i64> {
        let mut call = self.set.key(&request.key);
        call.arg(etag).arg(&*request.value).arg(u8::from(first_write)).arg(ttl_argument(ttl));
        call.invoke_async(&mut connection.clone()).await
    }

    pub(super) async fn delete(&self, connection: &ConnectionManager, key: &str, etag: &str) -> RedisResult<i64> {
        self.delete.key(key).arg(etag).invoke_async(&mut connection.clone()).await
    }

    /// Adds a write to a transaction, with the script's text: there is no second try for a script unknown there.
    pub(super) fn add_set(&self, pipe: &mut Pipeline, request: &SetRequest, etag: &str, ttl: TimeToLive) {
        let set = pipe.cmd("EVAL").arg(SET).arg(1).arg(&request.key);
        set.arg(etag).arg(&*request.value).arg(0).arg(ttl_argument(ttl));
    }

    /// Adds a delete to a transaction.
    pub(super) fn add_delete(&self, pipe: &mut Pipeline, key: &str, etag: &str) {
        pipe.cmd("EVAL").arg(DELETE).arg(1).arg(key).arg(etag);
    }
}

fn ttl_argument(ttl: TimeToLive) -> String {
    match ttl {
        TimeToLive::Unset => String::new(),
        TimeToLive::Forever => "0".to_owned(),
        TimeToLive::For(ttl) => ttl.as_secs().to_string(),
    }
}
