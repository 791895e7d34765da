//! The store: Dapr's layout and behaviour on one connection, which is reopened if lost.
//!
//! The layout is `redis_layout`'s. An etag is not checked if the key is absent, a value written with `first-write` can
//! only be changed with its etag, and a transaction does not roll back.

use std::thread::sleep;
use std::time::Duration;

use dapr_component::state::{
    Consistency, DeleteRequest, Description, Error, Features, GetRequest, Instances, Item, Operation, SetRequest,
    TimeToLive,
};
use dapr_component::{InitError, Metadata, Properties, StateStore};
use redis::{RedisError, RedisResult};
use redis_layout::{Server, default_ttl};

use crate::connection::Connection;
use crate::error::{failure, init_error, is_script_error, server_message, transaction_error};
use crate::request::{Delete, Write};
use crate::scripts::{Scripts, add_delete, add_set};
use crate::settings;

/// Timeout of a strongly consistent write for the replicas, in milliseconds, as in Dapr.
const REPLICAS_TIMEOUT: u32 = 1000;

/// Attempts to reconnect, and the delay between them: about two seconds, like Dapr's client.
const MAX_DIALS: u32 = 20;
const DIAL_DELAY: Duration = Duration::from_millis(100);

/// The component.
pub(crate) struct StateRedis {
    server: Server,
    /// Time to live of writes without one.
    default_ttl: TimeToLive,
    connection: Connection,
    scripts: Scripts,
    replicas: u32,
}

impl StateRedis {
    fn connect(server: Server, default_ttl: TimeToLive) -> RedisResult<Self> {
        let mut connection = Connection::open(&server)?;
        let info: String = redis::cmd("INFO").arg("replication").query(&mut connection)?;
        let replicas = info.lines().find_map(|line| line.strip_prefix("connected_slaves:")?.trim().parse().ok());
        Ok(Self { server, default_ttl, connection, scripts: Scripts::default(), replicas: replicas.unwrap_or(0) })
    }

    /// Returns the connection, or a new one if it is broken or closed. A sent request is not repeated, because the
    /// server may have executed it.
    fn connection(&mut self) -> Result<&mut Connection, Error> {
        if !self.connection.is_usable() {
            self.connection = open(&self.server).map_err(failure)?;
        }
        Ok(&mut self.connection)
    }
}

impl StateStore for StateRedis {
    fn init(properties: Properties) -> Result<Self, InitError> {
        let server = settings::server(&properties)?;
        Self::connect(server, default_ttl(&properties)?).map_err(init_error)
    }

    fn describe(&self) -> Description {
        Description {
            features: Features::ETAG | Features::TRANSACTIONAL | Features::TTL,
            instances: Instances::Many,
            multi_max_size: None,
        }
    }

    fn get(&mut self, GetRequest { key, .. }: GetRequest) -> Result<Option<Item>, Error> {
        let connection = self.connection()?;
        let fields = redis::cmd("HMGET").arg(&key).arg("data").arg("version").query(connection);
        let fields: (Option<Vec<u8>>, Option<String>) = match fields {
            Ok(fields) => fields,
            Err(error) if error.code() == Some("WRONGTYPE") => return get_plain(connection, &key).map_err(failure),
            Err(error) => return Err(failure(error)),
        };
        match fields {
            (None, None) => Ok(None),
            (Some(value), etag @ Some(_)) => Ok(Some(Item { etag, ..Item::new(value) })),
            _ => Err(Error::other("required hash field 'data' or 'version' was not found")),
        }
    }

    fn set(&mut self, request: SetRequest) -> Result<(), Error> {
        let write = Write::new(&request, self.default_ttl)?;
        self.connection()?;
        self.scripts.set(&mut self.connection, &write).map_err(|error| not_set(error, &request))?;
        if request.options.consistency == Consistency::Strong && self.replicas > 0 {
            let mut wait = redis::cmd("WAIT");
            wait.arg(self.replicas).arg(REPLICAS_TIMEOUT);
            wait.query::<i64>(&mut self.connection).map_err(failure)?;
        }
        Ok(())
    }

    fn delete(&mut self, request: DeleteRequest) -> Result<(), Error> {
        self.connection()?;
        let deleted = self.scripts.delete(&mut self.connection, &Delete::new(&request));
        deleted.map(drop).map_err(|error| match is_script_error(&error) {
            true => Error::etag_mismatch(server_message(&error)),
            false => failure(error),
        })
    }

    fn transact(&mut self, operations: Vec<Operation>, _metadata: Metadata) -> Result<(), Error> {
        if operations.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        pipe.atomic();
        for operation in &operations {
            match operation {
                Operation::Set(request) => add_set(&mut pipe, &Write::new(request, self.default_ttl)?),
                Operation::Delete(request) => add_delete(&mut pipe, &Delete::new(request)),
            }
        }
        let done: RedisResult<Vec<i64>> = pipe.query(self.connection()?);
        done.map(drop).map_err(transaction_error)
    }

    fn ping(&mut self) -> Result<(), Error> {
        redis::cmd("PING").query::<()>(self.connection()?).map_err(failure)
    }
}

/// Connects, and retries like Dapr's client while a server is briefly unavailable.
fn open(server: &Server) -> RedisResult<Connection> {
    let mut tries = 1;
    loop {
        match Connection::open(server) {
            Err(error) if error.is_io_error() && !error.is_timeout() && tries < MAX_DIALS => sleep(DIAL_DELAY),
            opened => return opened,
        }
        tries += 1;
    }
}

/// Reads a plain string, written by another program than Dapr.
fn get_plain(connection: &mut Connection, key: &str) -> RedisResult<Option<Item>> {
    let value: Option<Vec<u8>> = redis::cmd("GET").arg(key).query(connection)?;
    Ok(value.map(Item::new))
}

fn not_set(error: RedisError, request: &SetRequest) -> Error {
    match (is_script_error(&error), request.required_etag()) {
        (true, Some(_)) => Error::etag_mismatch(server_message(&error)),
        (true, None) => Error::other(format!("failed to set key {}: {}", request.key, server_message(&error))),
        (false, _) => failure(error),
    }
}
