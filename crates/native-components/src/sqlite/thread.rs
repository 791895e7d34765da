//! A thread that owns one connection: SQLite blocks, and the threads that serve requests must not.

use std::sync::mpsc;

use rusqlite::Connection;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Runs jobs on one connection, one after the other. The thread ends when this is dropped and its jobs are done.
pub(crate) struct SqliteThread(mpsc::Sender<Job>);

/// The thread has ended (a job panicked).
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

    /// Runs `job` on the connection and waits for its answer. A caller that stops waiting does not stop the job.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            // The caller may have gone away; then nobody wants the answer.
            let _ = answer.send(job(connection));
        });
        self.0.send(job).map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}
