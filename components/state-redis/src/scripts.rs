//! The two scripts that make a write or delete and the check of its etag one step.
//!
//! The rules are those of `setDefaultQuery` and `delDefaultQuery` in `components-contrib/state/redis/redis.go`; a refusal
//! is an error as there, and the expiry belongs to the step. The native `state.redis` has the same scripts.

use redis::{Pipeline, RedisResult, Script};

use crate::connection::Connection;
use crate::request::{Delete, Write};

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
        call.arg(&write.etag).arg(write.value).arg(u8::from(write.is_first)).arg(write.ttl_argument());
        call.invoke(connection)
    }

    pub(crate) fn delete(&self, connection: &mut Connection, delete: &Delete<'_>) -> RedisResult<i64> {
        self.delete.key(delete.key).arg(delete.etag).invoke(connection)
    }
}

/// Adds a write to a transaction, with the script's text: there is no second try for a script unknown there.
pub(crate) fn add_set(pipe: &mut Pipeline, write: &Write<'_>) {
    let set = pipe.cmd("EVAL").arg(SET).arg(1).arg(write.key);
    // As in Dapr, a transaction knows no first write.
    set.arg(&write.etag).arg(write.value).arg(0).arg(write.ttl_argument());
}

/// Adds a delete to a transaction.
pub(crate) fn add_delete(pipe: &mut Pipeline, delete: &Delete<'_>) {
    pipe.cmd("EVAL").arg(DELETE).arg(1).arg(delete.key).arg(delete.etag);
}
