//! `lock.redis`: locks on a Redis server. `components-contrib/lock/redis/standalone.go`.
//!
//! The layout is Dapr's, so that both share locks: a key whose value is the owner, with an expiry.

use async_trait::async_trait;
use dapr_building_blocks::lock::{LockError, LockStore, TryLockRequest, UnlockRequest, UnlockStatus};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use redis::{RedisError, Script};

use crate::redis_client::{self, Link, Repeat, Settings};

/// Deletes the key if its value is the owner. Returns 0 if it was deleted, 1 if it is missing, 2 for another owner.
const UNLOCK: &str = "
local owner = redis.call('GET', KEYS[1])
if not owner then return 1 end
if owner ~= ARGV[1] then return 2 end
redis.call('DEL', KEYS[1])
return 0";

struct Redis {
    link: Link,
    unlock: Script,
}

/// Connects to the server.
///
/// # Errors
/// When the server has replicas, which would lose locks in a failover.
pub(super) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    let link = Link::new(Settings::read(&spec.properties)?);
    let info = |mut connection| async move {
        redis::cmd("INFO").arg("replication").query_async::<String>(&mut connection).await
    };
    let info = link.send(Repeat::Harmless, info).await.map_err(redis_client::init_error)?;
    let replicas = info.lines().find_map(|line| line.strip_prefix("connected_slaves:"));
    if replicas.is_some_and(|replicas| replicas.trim() != "0") {
        return Err(InitError::misconfigured("replication is not supported"));
    }
    Ok(Component::from_lock_store(Redis { link, unlock: Script::new(UNLOCK) }))
}

#[async_trait]
impl LockStore for Redis {
    async fn try_lock(&self, request: TryLockRequest) -> Result<bool, LockError> {
        let mut set = redis::cmd("SET");
        set.arg(&request.resource).arg(&request.owner).arg("NX").arg("EX").arg(request.expiry_seconds);
        let set = &set;
        let send = |mut connection| async move { set.query_async::<Option<String>>(&mut connection).await };
        // A second attempt would find the lock of the first one.
        let reply = self.link.send(Repeat::Harmful, send).await.map_err(failure)?;
        Ok(reply.is_some())
    }

    async fn unlock(&self, request: UnlockRequest) -> Result<UnlockStatus, LockError> {
        let mut call = self.unlock.key(&request.resource);
        call.arg(&request.owner);
        let call = &call;
        let send = |mut connection| async move { call.invoke_async::<i64>(&mut connection).await };
        match self.link.send(Repeat::Harmful, send).await.map_err(failure)? {
            0 => Ok(UnlockStatus::Success),
            1 => Ok(UnlockStatus::NotFound),
            _ => Ok(UnlockStatus::OtherOwner),
        }
    }
}

fn failure(error: RedisError) -> LockError {
    if redis_client::is_unavailable(&error) {
        LockError::Unavailable(error.into())
    } else {
        LockError::Other(error.into())
    }
}
