//! `state.redis`: state on a Redis server. `components-contrib/state/redis/redis.go`.
//!
//! The layout is Dapr's (`redis_layout`), so that both can share a server. So is the behaviour: an etag is not checked
//! if the key is absent, a value written with `first-write` can only be replaced with its etag, and a transaction does
//! not roll back.

mod scripts;

use async_trait::async_trait;
use dapr_building_blocks::state::{
    Concurrency, Consistency, DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem,
    TimeToLive, time_to_live,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Metadata, StateError, StateStore};
use redis::{Cmd, FromRedisValue, RedisError, RedisResult};
use redis_layout::{NO_ETAG, default_ttl, version};

use self::scripts::Scripts;
use crate::redis_client::{self, Link, Repeat, Settings};

/// Time that a strongly consistent write waits for the replicas, in milliseconds, as in Dapr.
const REPLICAS_TIMEOUT: u32 = 1000;

/// Connects to the server. A connection that is lost later is restored automatically.
pub(crate) async fn create(spec: ComponentSpec, _context: Context) -> Result<Component, InitError> {
    let (settings, default_ttl) = (Settings::read(&spec.properties)?, default_ttl(&spec.properties)?);
    let store = Redis::connect(settings, default_ttl).await.map_err(redis_client::init_error)?;
    Ok(Component::from_state_store(store))
}

struct Redis {
    link: Link,
    scripts: Scripts,
    default_ttl: TimeToLive,
    replicas: u32,
}

impl Redis {
    async fn connect(settings: Settings, default_ttl: TimeToLive) -> RedisResult<Self> {
        let link = Link::new(settings);
        let info = |mut connection| async move {
            redis::cmd("INFO").arg("replication").query_async::<String>(&mut connection).await
        };
        let info = link.send(Repeat::Harmless, info).await?;
        let replicas = info.lines().find_map(|line| line.strip_prefix("connected_slaves:")?.trim().parse().ok());
        let replicas = replicas.unwrap_or(0);
        Ok(Self { link, scripts: Scripts::default(), default_ttl, replicas })
    }

    /// Sends one idempotent command.
    async fn query<T: FromRedisValue + Send>(&self, command: &Cmd) -> RedisResult<T> {
        let send = |mut connection| async move { command.query_async(&mut connection).await };
        self.link.send(Repeat::Harmless, send).await
    }

    fn ttl(&self, request: &SetRequest) -> Result<TimeToLive, StateError> {
        match time_to_live(&request.metadata) {
            Ok(TimeToLive::Unset) => Ok(self.default_ttl),
            Ok(given) => Ok(given),
            Err(why) => {
                let message = format!("failed to parse ttl from metadata: strconv.ParseInt: {why}");
                Err(StateError::InvalidRequest(message))
            }
        }
    }

    async fn wait_for_replicas(&self, consistency: Consistency) -> Result<(), StateError> {
        if consistency == Consistency::Strong && self.replicas > 0 {
            let mut wait = redis::cmd("WAIT");
            wait.arg(self.replicas).arg(REPLICAS_TIMEOUT);
            self.query::<i64>(&wait).await.map_err(failure)?;
        }
        Ok(())
    }

    /// Reads a value that a program other than Dapr stored as a plain string.
    async fn get_plain(&self, key: &str) -> Result<Option<StateItem>, StateError> {
        let mut get = redis::cmd("GET");
        get.arg(key);
        let value: Option<Vec<u8>> = self.query(&get).await.map_err(failure)?;
        Ok(value.map(|value| StateItem { value: value.into(), ..StateItem::default() }))
    }
}

#[async_trait]
impl StateStore for Redis {
    fn features(&self) -> StateFeatures {
        StateFeatures::new(&[StateFeature::Etag, StateFeature::Transactional, StateFeature::Ttl])
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        let mut get = redis::cmd("HMGET");
        get.arg(&request.key).arg("data").arg("version");
        let fields: RedisResult<(Option<Vec<u8>>, Option<String>)> = self.query(&get).await;
        match fields {
            Ok((None, None)) => Ok(None),
            Ok((Some(data), Some(version))) => {
                Ok(Some(StateItem { value: data.into(), etag: Some(version), ..StateItem::default() }))
            }
            Ok(_) => Err(StateError::Other("required hash field 'data' or 'version' was not found".into())),
            Err(error) if error.code() == Some("WRONGTYPE") => self.get_plain(&request.key).await,
            Err(error) => Err(failure(error)),
        }
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let etag = etag(&request)?;
        let ttl = self.ttl(&request)?;
        let first_write = request.options.concurrency == Concurrency::FirstWrite;
        let repeat = if etag == NO_ETAG && !first_write { Repeat::Harmless } else { Repeat::Harmful };
        let (scripts, sent, etag) = (&self.scripts, &request, etag.as_str());
        let set = |connection| async move { scripts.set(connection, sent, etag, first_write, ttl).await };
        let written = self.link.send(repeat, set).await;
        written.map_err(|error| match (is_refusal(&error), request.required_etag()) {
            (true, Some(_)) => StateError::EtagMismatch(Some(said(&error).into())),
            (true, None) => StateError::Other(format!("failed to set key {}: {}", request.key, said(&error)).into()),
            (false, _) => failure(error),
        })?;
        self.wait_for_replicas(request.options.consistency).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        let etag = request.required_etag().unwrap_or(NO_ETAG);
        let repeat = if etag == NO_ETAG { Repeat::Harmless } else { Repeat::Harmful };
        let (scripts, key) = (&self.scripts, request.key.as_str());
        let delete = |connection| async move { scripts.delete(connection, key, etag).await };
        let deleted = self.link.send(repeat, delete).await;
        deleted.map(drop).map_err(|error| match is_refusal(&error) {
            true => StateError::EtagMismatch(Some(said(&error).into())),
            false => failure(error),
        })
    }

    async fn transact(&self, operations: Vec<Operation>, _metadata: Metadata) -> Result<(), StateError> {
        if operations.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        pipe.atomic();
        let is_plain = |operation: &Operation| match operation {
            Operation::Upsert(request) => request.required_etag().is_none(),
            Operation::Delete(request) => request.required_etag().is_none(),
        };
        let repeat = if operations.iter().all(is_plain) { Repeat::Harmless } else { Repeat::Harmful };
        for operation in &operations {
            match operation {
                // As in Dapr, transactions ignore first-write.
                Operation::Upsert(request) => {
                    self.scripts.add_set(&mut pipe, request, &etag(request)?, self.ttl(request)?);
                }
                Operation::Delete(request) => {
                    self.scripts.add_delete(&mut pipe, &request.key, request.required_etag().unwrap_or(NO_ETAG));
                }
            }
        }
        let pipe = &pipe;
        let send = |mut connection| async move { pipe.query_async::<Vec<i64>>(&mut connection).await };
        let done = self.link.send(repeat, send).await;
        done.map(drop).map_err(|error| {
            let of_operations = error.clone().into_server_errors();
            let first = of_operations.as_ref().and_then(|errors| errors.first());
            match first {
                Some((_, said)) => {
                    let said = format!("{} {}", said.code(), said.details().unwrap_or_default());
                    StateError::Other(said.into())
                }
                None => failure(error),
            }
        })
    }

    async fn ping(&self) -> Result<(), StateError> {
        self.query::<()>(&redis::cmd("PING")).await.map_err(failure)
    }
}

/// Returns the version that a write expects. With last-write, the etag is ignored.
fn etag(request: &SetRequest) -> Result<String, StateError> {
    match request.required_etag() {
        Some(etag) if request.options.concurrency != Concurrency::LastWrite => {
            version(etag).map_err(|error| StateError::EtagInvalid(error.into()))
        }
        _ => Ok(NO_ETAG.to_owned()),
    }
}

/// Returns true if one of our scripts failed; the error contains its own text.
fn is_refusal(error: &RedisError) -> bool {
    said(error).contains(": failed to ")
}

/// Formats an error as the server wrote it.
fn said(error: &RedisError) -> String {
    format!("{} {}", error.code().unwrap_or("ERR"), error.detail().unwrap_or_default())
}

fn failure(error: RedisError) -> StateError {
    if redis_client::is_unavailable(&error) {
        StateError::Unavailable(error.into())
    } else {
        StateError::Other(error.into())
    }
}
