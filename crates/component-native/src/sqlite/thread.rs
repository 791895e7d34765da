//! Thread that owns one connection: SQLite blocks, and the threads that serve requests must not.

use std::sync::mpsc;

use rusqlite::Connection;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Handle of a thread that runs jobs on one connection, in sequence.
///
/// The thread ends when the handle is dropped and its jobs are done.
pub(crate) struct SqliteThread(mpsc::Sender<Job>);

/// Error: the thread has ended, as a job panicked.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the thread that works on the database has ended")]
pub(crate) struct Ended;

impl SqliteThread {
    /// Starts the thread.
    pub(crate) fn start(name: &str, mut connection: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Ok(job) = queue.recv() {
                job(&mut connection);
            }
        })?;
        Ok(Self(jobs))
    }

    /// Runs `job` on the connection and waits for its result. A caller that stops waiting does not stop the job.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            // The caller may have stopped waiting.
            let _ = answer.send(job(connection));
        });
        self.0.send(job).map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}
