//! A broker's file, which the applications of one process share.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use dapr_building_blocks::InitError;

use super::config::Config;
use super::schema;
use super::writer::Writer;
use crate::sqlite::{Database, SqliteThread};

/// Time to wait for another process that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// An open file.
pub(super) struct BrokerFile {
    pub(super) writer: Writer,
    pub(super) reader: SqliteThread,
    /// Subscriptions that are delivered, as topics and groups.
    subscribed: Mutex<HashSet<(String, String)>>,
    /// Held while the file is open: its positions are in this process's memory, too.
    _lock: File,
}

/// A subscription that is delivered, and no other of its topic and group.
pub(super) struct Claim {
    file: Arc<BrokerFile>,
    topic: String,
    group: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let subscribed = &mut self.file.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
        subscribed.remove(&(std::mem::take(&mut self.topic), std::mem::take(&mut self.group)));
    }
}

/// Open files by path.
static FILES: LazyLock<Mutex<HashMap<PathBuf, Weak<BrokerFile>>>> = LazyLock::new(Mutex::default);

impl BrokerFile {
    /// Opens the file, or returns it if it is open. The first opening decides about retention. Blocks.
    pub(super) fn open(config: &Config) -> Result<Arc<Self>, InitError> {
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_, file| file.strong_count() > 0);
        let database = Database::at(config.file.clone(), BUSY_TIMEOUT);
        let connection = database.open()?;
        // Applications name the file from directories of their own.
        let path = config.file.canonicalize().map_err(InitError::unavailable)?;
        if let Some(file) = files.get(&path).and_then(Weak::upgrade) {
            return Ok(file);
        }
        let lock = lock(&path)?;
        schema::create(&connection)?;
        let reader = SqliteThread::start("pubsub-reader", database.open()?).map_err(InitError::unavailable)?;
        let writer = Writer::start(connection, config.retention, config.max_bytes)?;
        let file = Arc::new(Self { writer, reader, subscribed: Mutex::default(), _lock: lock });
        files.insert(path, Arc::downgrade(&file));
        Ok(file)
    }

    /// Claims the deliveries of `topic` to `group`; `None` if another application of this process has them.
    pub(super) fn claim(self: &Arc<Self>, topic: &str, group: &str) -> Option<Claim> {
        let (topic, group) = (topic.to_owned(), group.to_owned());
        let mut subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
        subscribed.insert((topic.clone(), group.clone())).then(|| Claim { file: self.clone(), topic, group })
    }
}

/// Locks the file against other processes, by a file beside it.
fn lock(path: &Path) -> Result<File, InitError> {
    let mut name = OsString::from(path);
    name.push(".pubsub-lock");
    let shown = PathBuf::from(&name);
    let cannot = |error| InitError::misconfigured(format!("cannot open {}: {error}", shown.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(InitError::unavailable(format!("another process delivers the messages of {}", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}
