//! `state.redis`: state on a Redis server. `components-contrib/state/redis/redis.go`.
//!
//! The layout is Dapr's (`redis_state`), so that both can share a server. So are Dapr's ways: an etag is not checked when
//! the key is absent, a value written with `first-write` yields only to its etag, and a transaction does not roll back.

mod config;
mod scripts;

use async_trait::async_trait;
use building_blocks::state::{
    Concurrency, Consistency, DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem,
    TimeToLive, time_to_live,
};
use building_blocks::{Component, ComponentSpec, Context, InitError, Metadata, StateError, StateStore};
use redis::aio::ConnectionManager;
use redis::{ErrorKind, RedisError, RedisResult};
use redis_state::NO_ETAG;

use config::Config;
use scripts::Scripts;

/// How long a strongly consistent write waits for the replicas, in milliseconds, as in Dapr.
const REPLICAS_TIMEOUT: u32 = 1000;

/// Connects. The connection comes back by itself when it is lost later.
pub(crate) async fn create(spec: ComponentSpec, _context: Context) -> Result<Component, InitError> {
    let config = Config::read(&spec.properties)?;
    let store = Redis::connect(config).await.map_err(|error| match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => InitError::misconfigured(error),
        _ => InitError::unavailable(error),
    })?;
    Ok(Component::of_state_store(store))
}

struct Redis {
    connection: ConnectionManager,
    scripts: Scripts,
    default_ttl: TimeToLive,
    replicas: u32,
}

impl Redis {
    async fn connect(config: Config) -> RedisResult<Self> {
        let client = redis::Client::open(config.server)?;
        let mut connection = ConnectionManager::new_with_config(client, config.connection).await?;
        let info: String = redis::cmd("INFO").arg("replication").query_async(&mut connection).await?;
        let replicas = info.lines().find_map(|line| line.strip_prefix("connected_slaves:")?.trim().parse().ok());
        let replicas = replicas.unwrap_or(0);
        Ok(Self { connection, scripts: Scripts::default(), default_ttl: config.default_ttl, replicas })
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
            wait.query_async::<i64>(&mut self.connection.clone()).await.map_err(failure)?;
        }
        Ok(())
    }

    /// A value that something other than Dapr put under the key as a plain string.
    async fn get_plain(&self, key: &str) -> Result<Option<StateItem>, StateError> {
        let mut get = redis::cmd("GET");
        let value: Option<Vec<u8>> = get.arg(key).query_async(&mut self.connection.clone()).await.map_err(failure)?;
        Ok(value.map(|value| StateItem { value: value.into(), ..StateItem::default() }))
    }
}

#[async_trait]
impl StateStore for Redis {
    fn features(&self) -> StateFeatures {
        StateFeatures::of(&[StateFeature::Etag, StateFeature::Transactional, StateFeature::Ttl])
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        let mut get = redis::cmd("HMGET");
        get.arg(&request.key).arg("data").arg("version");
        let fields: RedisResult<(Option<Vec<u8>>, Option<String>)> =
            get.query_async(&mut self.connection.clone()).await;
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
        let written = self.scripts.set(&self.connection, &request, &etag, first_write, ttl).await;
        written.map_err(|error| match (is_refusal(&error), request.required_etag()) {
            (true, Some(_)) => StateError::EtagMismatch(Some(said(&error).into())),
            (true, None) => StateError::Other(format!("failed to set key {}: {}", request.key, said(&error)).into()),
            (false, _) => failure(error),
        })?;
        self.wait_for_replicas(request.options.consistency).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        let etag = request.required_etag().unwrap_or(NO_ETAG);
        let deleted = self.scripts.delete(&self.connection, &request.key, etag).await;
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
        for operation in &operations {
            match operation {
                // As in Dapr, a transaction knows no first write.
                Operation::Upsert(request) => {
                    self.scripts.add_set(&mut pipe, request, &etag(request)?, self.ttl(request)?);
                }
                Operation::Delete(request) => {
                    self.scripts.add_delete(&mut pipe, &request.key, request.required_etag().unwrap_or(NO_ETAG));
                }
            }
        }
        let done: RedisResult<Vec<i64>> = pipe.query_async(&mut self.connection.clone()).await;
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
        redis::cmd("PING").query_async::<()>(&mut self.connection.clone()).await.map_err(failure)
    }
}

/// The version that a write expects. Redis counts versions, so that anything else was never an etag. Who says that the
/// last write wins is not asked for one.
fn etag(request: &SetRequest) -> Result<String, StateError> {
    match request.required_etag() {
        Some(given) if request.options.concurrency != Concurrency::LastWrite => match given.parse::<i64>() {
            Ok(version) => Ok(version.to_string()),
            Err(_) => Err(StateError::EtagInvalid(format!("strconv.Atoi: parsing {given:?}: invalid syntax").into())),
        },
        _ => Ok(NO_ETAG.to_owned()),
    }
}

/// Whether a script of ours refused: its own words come back with the error.
fn is_refusal(error: &RedisError) -> bool {
    said(error).contains(": failed to ")
}

/// An error as the server wrote it.
fn said(error: &RedisError) -> String {
    format!("{} {}", error.code().unwrap_or("ERR"), error.detail().unwrap_or_default())
}

fn failure(error: RedisError) -> StateError {
    if error.is_io_error() || error.is_timeout() || error.is_connection_dropped() {
        StateError::Unavailable(error.into())
    } else {
        StateError::Other(error.into())
    }
}
