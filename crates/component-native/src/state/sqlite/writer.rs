//! Thread that writes. Concurrent requests share a commit: each commit waits for the disk, and one wait can serve many.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use dapr_building_blocks::StateError;
use dapr_building_blocks::state::Operation;
use rusqlite::{Connection, Savepoint, TransactionBehavior};
use tokio::sync::oneshot;

use super::cleanup::Cleanup;
use super::row::{self, Tables, failure};

/// Limit on the requests in one commit. Beyond it, the first would wait too long for the last.
const MAX_BATCH: usize = 256;

type Answer = oneshot::Sender<Result<(), StateError>>;
type Read = Box<dyn FnOnce(&Connection) + Send>;

enum Request {
    /// Operations that succeed or fail together.
    Write(Vec<Operation>, Answer),
    Read(Read),
}

/// Queue of the writer thread, which ends when this is dropped and the queue is empty.
pub(super) struct Writer(mpsc::Sender<Request>);

impl Writer {
    pub(super) fn start(
        connection: Connection,
        tables: Tables,
        cleanup_interval: Option<Duration>,
    ) -> std::io::Result<Self> {
        let (requests, queue) = mpsc::channel();
        let cleanup = cleanup_interval.map(Cleanup::every);
        let worker = Worker { connection, tables, queue, cleanup };
        std::thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || worker.run())?;
        Ok(Self(requests))
    }

    /// Returns after all operations are on disk, or fails if none of them is.
    pub(super) async fn write(&self, operations: Vec<Operation>) -> Result<(), StateError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Request::Write(operations, answer)).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    /// Reads on the writer's connection, for a database that has no other connection.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, StateError> {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            // The caller may have stopped waiting.
            let _ = answer.send(read(connection));
        });
        self.0.send(Request::Read(read)).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())
    }
}

fn ended() -> StateError {
    StateError::Unavailable("the thread that writes the database has ended".into())
}

struct Worker {
    connection: Connection,
    tables: Tables,
    queue: mpsc::Receiver<Request>,
    cleanup: Option<Cleanup>,
}

impl Worker {
    fn run(mut self) {
        while let Some(first) = self.next() {
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(request) = next {
                match request {
                    Request::Write(operations, answer) => batch.push((operations, answer)),
                    // A read sees all writes queued before it.
                    Request::Read(read) => {
                        self.commit(std::mem::take(&mut batch));
                        read(&self.connection);
                    }
                }
                next = if batch.len() < MAX_BATCH { self.queue.try_recv().ok() } else { None };
            }
            self.commit(batch);
        }
    }

    /// Returns the next request, cleaning up while idle; `None` if there will never be one.
    fn next(&mut self) -> Option<Request> {
        loop {
            let Some(cleanup) = &mut self.cleanup else {
                return self.queue.recv().ok();
            };
            match self.queue.recv_timeout(cleanup.due.saturating_duration_since(Instant::now())) {
                Ok(request) => return Some(request),
                Err(mpsc::RecvTimeoutError::Timeout) => cleanup.run(&self.connection, &self.tables),
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn commit(&mut self, batch: Vec<(Vec<Operation>, Answer)>) {
        if batch.is_empty() {
            return;
        }
        let (requests, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let results = self.try_commit(&requests).unwrap_or_else(|error| all_failed(&error, requests.len()));
        for (answer, result) in answers.into_iter().zip(results) {
            // The caller may have stopped waiting; the writes are kept.
            let _ = answer.send(result);
        }
    }

    /// Commits all requests in one transaction. Each has a savepoint, so that a failure affects no other request.
    fn try_commit(&mut self, requests: &[Vec<Operation>]) -> rusqlite::Result<Vec<Result<(), StateError>>> {
        let mut transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut results = Vec::with_capacity(requests.len());
        for operations in requests {
            results.push(apply(transaction.savepoint()?, &self.tables, operations));
        }
        transaction.commit()?;
        Ok(results)
    }
}

/// Applies all operations or none: an unfinished savepoint rolls back when it is dropped.
fn apply(savepoint: Savepoint<'_>, tables: &Tables, operations: &[Operation]) -> Result<(), StateError> {
    for operation in operations {
        row::apply(&savepoint, tables, operation)?;
    }
    savepoint.commit().map_err(failure)
}

/// Returns an error for every request, as nothing was committed.
fn all_failed(error: &rusqlite::Error, count: usize) -> Vec<Result<(), StateError>> {
    (0..count).map(|_| Err(StateError::Unavailable(error.to_string().into()))).collect()
}
