//! `state.sqlite`: state in one file. `components-contrib/state/sqlite/sqlite_dbaccess.go`.
//!
//! The file format is Dapr's: the same tables and encodings, so that a real `daprd` can open files written here, and
//! vice versa. Reads and writes have a thread each; writes that wait at the same time share one commit, and so the time
//! of one disk sync.

mod cleanup;
mod config;
mod row;
mod schema;
mod writer;

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::state::{
    DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Metadata, StateError, StateStore};

use crate::sqlite::SqliteThread;
use config::Config;
use row::Tables;
use writer::Writer;

/// Opens the database and migrates its tables.
pub(crate) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let config = Config::read(&spec.properties, &context)?;
    let opened = tokio::task::spawn_blocking(move || Sqlite::open(config)).await;
    opened.map_err(InitError::unavailable)?.map(Component::from_state_store)
}

struct Sqlite {
    tables: Tables,
    /// Reader thread. Absent for an in-memory database, which only one connection can see, so that the writer reads
    /// too.
    reader: Option<SqliteThread>,
    writer: Writer,
    timeout: Duration,
}

impl Sqlite {
    fn open(config: Config) -> Result<Self, InitError> {
        let Config { database, tables, timeout, cleanup_interval } = config;
        let mut connection = database.open()?;
        if !database.read_only {
            schema::migrate(&mut connection, &tables)?;
        }
        let reader = match &database.file {
            Some(_) => Some(SqliteThread::start("sqlite-reader", database.open()?).map_err(InitError::unavailable)?),
            None => None,
        };
        let writer = Writer::start(connection, tables.clone(), cleanup_interval).map_err(InitError::unavailable)?;
        Ok(Self { tables, reader, writer, timeout })
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&rusqlite::Connection, &Tables) -> T + Send + 'static,
    ) -> Result<T, StateError> {
        let tables = self.tables.clone();
        match &self.reader {
            Some(reader) => {
                self.in_time(async {
                    let answer = reader.run(move |connection| read(connection, &tables)).await;
                    answer.map_err(|error| StateError::Unavailable(error.into()))
                })
                .await
            }
            None => self.in_time(self.writer.read(move |connection| read(connection, &tables))).await,
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, StateError>>) -> Result<T, StateError> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result,
            Err(elapsed) => Err(StateError::Unavailable(elapsed.into())),
        }
    }
}

#[async_trait]
impl StateStore for Sqlite {
    fn features(&self) -> StateFeatures {
        StateFeatures::new(&[StateFeature::Etag, StateFeature::Transactional, StateFeature::Ttl])
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        self.read(move |connection, tables| row::get(connection, tables, &request.key)).await?
    }

    async fn bulk_get(
        &self,
        requests: Vec<GetRequest>,
        _parallelism: usize,
    ) -> Vec<Result<Option<StateItem>, StateError>> {
        let keys: Vec<String> = requests.into_iter().map(|request| request.key).collect();
        let count = keys.len();
        let read = self
            .read(move |connection, tables| {
                keys.iter().map(|key| row::get(connection, tables, key)).collect::<Vec<_>>()
            })
            .await;
        match read {
            Ok(answers) => answers,
            Err(error) => {
                let text = error.to_string();
                (0..count).map(|_| Err(StateError::Unavailable(text.clone().into()))).collect()
            }
        }
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        self.in_time(self.writer.write(vec![Operation::Upsert(request)])).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        self.in_time(self.writer.write(vec![Operation::Delete(request)])).await
    }

    async fn transact(&self, operations: Vec<Operation>, _metadata: Metadata) -> Result<(), StateError> {
        if operations.is_empty() {
            return Ok(());
        }
        self.in_time(self.writer.write(operations)).await
    }

    async fn ping(&self) -> Result<(), StateError> {
        self.read(|connection, _| row::ping(connection)).await?
    }
}
