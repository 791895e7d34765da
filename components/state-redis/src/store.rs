//! The store: Dapr's layout and behaviour on one connection, which is reopened if lost.
//!
//! The layout is `redis_layout`'s. An etag is not checked if the key is absent, a value written with `first-write` can
//! only be changed with its etag, and a transaction does not roll back.

use std::thread::sleep;
use std::time::Duration;

use redis::{RedisError, RedisResult};

use crate::bindings::exports::dapr::components::state::{
    Consistency, DeleteRequest, Error, Item, Operation, SetRequest,
};
use crate::connection::Connection;
use crate::error::{failure, is_script_error, server_message, transaction_error};
use crate::properties::Config;
use crate::request::{Delete, Write, given};
use crate::scripts::{Scripts, add_delete, add_set};

/// Timeout of a strongly consistent write for the replicas, in milliseconds, as in Dapr.
const REPLICAS_TIMEOUT: u32 = 1000;

/// Attempts to reconnect, and the delay between them: about two seconds, like Dapr's client.
const MAX_DIALS: u32 = 20;
const DIAL_DELAY: Duration = Duration::from_millis(100);

pub(crate) struct Store {
    config: Config,
    connection: Connection,
    scripts: Scripts,
    replicas: u32,
}

impl Store {
    pub(crate) fn connect(config: Config) -> RedisResult<Self> {
        let mut connection = Connection::open(&config)?;
        let info: String = redis::cmd("INFO").arg("replication").query(&mut connection)?;
        let replicas = info.lines().find_map(|line| line.strip_prefix("connected_slaves:")?.trim().parse().ok());
        Ok(Self { config, connection, scripts: Scripts::default(), replicas: replicas.unwrap_or(0) })
    }

    /// Returns the connection, or a new one if it is broken or closed. A sent request is not repeated, because the
    /// server may have executed it.
    fn connection(&mut self) -> Result<&mut Connection, Error> {
        if !self.connection.is_usable() {
            self.connection = open(&self.config).map_err(failure)?;
        }
        Ok(&mut self.connection)
    }

    pub(crate) fn get(&mut self, key: &str) -> Result<Option<Item>, Error> {
        let connection = self.connection()?;
        let fields = redis::cmd("HMGET").arg(key).arg("data").arg("version").query(connection);
        let fields: (Option<Vec<u8>>, Option<String>) = match fields {
            Ok(fields) => fields,
            Err(error) if error.code() == Some("WRONGTYPE") => return get_plain(connection, key).map_err(failure),
            Err(error) => return Err(failure(error)),
        };
        match fields {
            (None, None) => Ok(None),
            (Some(value), etag @ Some(_)) => Ok(Some(Item { etag, ..item(value) })),
            _ => Err(Error::Other("required hash field 'data' or 'version' was not found".to_owned())),
        }
    }

    pub(crate) fn set(&mut self, request: &SetRequest) -> Result<(), Error> {
        let write = Write::new(request, self.config.default_ttl)?;
        self.connection()?;
        self.scripts.set(&mut self.connection, &write).map_err(|error| not_set(error, request))?;
        if request.options.consistency == Consistency::Strong && self.replicas > 0 {
            let mut wait = redis::cmd("WAIT");
            wait.arg(self.replicas).arg(REPLICAS_TIMEOUT);
            wait.query::<i64>(&mut self.connection).map_err(failure)?;
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, request: &DeleteRequest) -> Result<(), Error> {
        self.connection()?;
        let deleted = self.scripts.delete(&mut self.connection, &Delete::new(request));
        deleted.map(drop).map_err(|error| match is_script_error(&error) {
            true => Error::EtagMismatch(Some(server_message(&error))),
            false => failure(error),
        })
    }

    pub(crate) fn transact(&mut self, operations: &[Operation]) -> Result<(), Error> {
        if operations.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        pipe.atomic();
        for operation in operations {
            match operation {
                Operation::Set(request) => add_set(&mut pipe, &Write::new(request, self.config.default_ttl)?),
                Operation::Delete(request) => add_delete(&mut pipe, &Delete::new(request)),
            }
        }
        let done: RedisResult<Vec<i64>> = pipe.query(self.connection()?);
        done.map(drop).map_err(transaction_error)
    }

    pub(crate) fn ping(&mut self) -> Result<(), Error> {
        redis::cmd("PING").query::<()>(self.connection()?).map_err(failure)
    }
}

/// Connects, and retries like Dapr's client while a server is briefly unavailable.
fn open(config: &Config) -> RedisResult<Connection> {
    let mut tries = 1;
    loop {
        match Connection::open(config) {
            Err(error) if error.is_io_error() && !error.is_timeout() && tries < MAX_DIALS => sleep(DIAL_DELAY),
            opened => return opened,
        }
        tries += 1;
    }
}

/// Reads a plain string, written by another program than Dapr.
fn get_plain(connection: &mut Connection, key: &str) -> RedisResult<Option<Item>> {
    let value: Option<Vec<u8>> = redis::cmd("GET").arg(key).query(connection)?;
    Ok(value.map(item))
}

const fn item(value: Vec<u8>) -> Item {
    Item { value, etag: None, metadata: Vec::new(), content_type: None }
}

fn not_set(error: RedisError, request: &SetRequest) -> Error {
    match (is_script_error(&error), given(request.etag.as_deref())) {
        (true, Some(_)) => Error::EtagMismatch(Some(server_message(&error))),
        (true, None) => Error::Other(format!("failed to set key {}: {}", request.key, server_message(&error))),
        (false, _) => failure(error),
    }
}
