//! Deliveries of one topic to one group.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dapr_building_blocks::Metadata;
use dapr_building_blocks::pubsub::{Message, MessageHandler, PubSubError};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};
use tokio_util::sync::CancellationToken;

use super::config::Redelivery;
use super::file::{BrokerFile, Claim};
use super::writer::{Failure, Recorded, ended, failure};

/// Messages read at once, and their payloads in bytes, but at least one message.
const READ_BATCH: usize = 64;
const READ_BYTES: usize = 8 << 20;
/// Deliveries whose outcome is not on disk yet, for which no further delivery begins.
const MAX_UNRECORDED: usize = 256;
/// Delay after a failed read.
const READ_RETRY: Duration = Duration::from_secs(1);

pub(super) struct Subscription {
    pub(super) pubsub: String,
    pub(super) file: Arc<BrokerFile>,
    pub(super) topic: String,
    pub(super) group: String,
    pub(super) redelivery: Redelivery,
    pub(super) concurrency: usize,
    pub(super) handler: Arc<dyn MessageHandler>,
    /// Keeps other applications from the same messages.
    pub(super) _claim: Claim,
}

/// A message to deliver.
struct Due {
    id: i64,
    /// Attempts before this one.
    attempts: u32,
    message: Message,
}

/// Messages that are due, and the time until the next redelivery, if there is one.
struct Batch {
    due: Vec<Due>,
    next: Option<Duration>,
}

impl Subscription {
    /// Adds the group, if it is new, and returns its position: the id of the last message that it has got.
    pub(super) async fn join(&self) -> Result<i64, PubSubError> {
        let (topic, group) = (self.topic.clone(), self.group.clone());
        let join = move |connection: &mut Connection| {
            let add = "INSERT OR IGNORE INTO pubsub_groups (topic, name, position) VALUES (?, ?, 0)";
            connection.execute(add, params![topic, group])?;
            let position = "SELECT position FROM pubsub_groups WHERE topic = ? AND name = ?";
            connection.query_row(position, params![topic, group], |row| row.get(0))
        };
        self.file.reader.run(join).await.map_err(|_| ended())?.map_err(failure)
    }

    /// Delivers messages after `position` until `shutdown`, and finishes those under way.
    pub(super) async fn run(self, mut position: i64, shutdown: CancellationToken) {
        let mut changes = self.file.writer.changes();
        let mut unrecorded = VecDeque::new();
        while !shutdown.is_cancelled() {
            changes.mark_unchanged();
            let wait = match self.read(position).await {
                Ok(Batch { due, .. }) if !due.is_empty() => {
                    position = due.iter().map(|due| due.id).fold(position, i64::max);
                    let is_again = due.iter().any(|due| due.attempts > 0);
                    self.deliver(due, &mut unrecorded, &shutdown).await;
                    // What is delivered again is read from the file, which must have the outcomes by then.
                    settle(&mut unrecorded, if is_again { 0 } else { MAX_UNRECORDED }).await;
                    continue;
                }
                Ok(_) if !unrecorded.is_empty() => {
                    settle(&mut unrecorded, 0).await;
                    continue;
                }
                Ok(Batch { next, .. }) => next,
                Err(error) => {
                    tracing::error!(pubsub = self.pubsub, topic = self.topic, %error, "cannot read messages; retrying");
                    Some(READ_RETRY)
                }
            };
            let timer = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = timer => {}
                // The sender lives as long as the file.
                _ = changes.changed() => {}
            }
        }
        settle(&mut unrecorded, 0).await;
    }

    /// Delivers messages, and begins none after `shutdown`.
    async fn deliver(&self, due: Vec<Due>, unrecorded: &mut VecDeque<Recorded>, shutdown: &CancellationToken) {
        let begin = due.into_iter().take_while(|_| !shutdown.is_cancelled());
        let deliveries = stream::iter(begin.map(|due| async move {
            let Due { id, attempts, message } = due;
            (id, attempts + 1, self.handler.handle(message).await)
        }));
        let mut outcomes = std::pin::pin!(deliveries.buffered(self.concurrency));
        while let Some((id, attempts, outcome)) = outcomes.next().await {
            let failure = outcome.err().map(|error| self.failure(id, attempts, error.to_string()));
            unrecorded.push_back(self.file.writer.record(&self.topic, &self.group, id, failure));
            settle(unrecorded, MAX_UNRECORDED).await;
        }
    }

    fn failure(&self, id: i64, attempts: u32, error: String) -> Failure {
        let delay = self.redelivery.delay(attempts);
        let Self { pubsub, topic, group, .. } = self;
        match delay {
            Some(delay) => tracing::warn!(pubsub, topic, group, id, attempts, error, ?delay, "message not processed"),
            None => tracing::error!(pubsub, topic, group, id, attempts, error, "message not processed; it is parked"),
        }
        Failure { attempts, delay, error }
    }

    async fn read(&self, position: i64) -> Result<Batch, PubSubError> {
        let (topic, group) = (self.topic.clone(), self.group.clone());
        let (longest, most) = (self.redelivery.longest_delay(), self.concurrency.max(READ_BATCH));
        let read = move |connection: &mut Connection| batch(connection, &topic, &group, position, longest, most);
        let read = self.file.reader.run(read);
        read.await.map_err(|_| ended())?.map_err(failure)
    }
}

/// Waits until at most `most` outcomes are not on disk.
async fn settle(unrecorded: &mut VecDeque<Recorded>, most: usize) {
    while unrecorded.len() > most {
        let Some(first) = unrecorded.pop_front() else { return };
        if first.await.is_err() {
            return;
        }
    }
}

/// Reads at most `most` messages that are due: those to deliver again, or else those after `position`. A delay that is
/// longer than `longest` comes from a clock that was set back.
fn batch(
    connection: &Connection,
    topic: &str,
    group: &str,
    position: i64,
    longest: Duration,
    most: usize,
) -> rusqlite::Result<Batch> {
    let now = Timestamp::now().as_millisecond();
    let latest = now.saturating_add(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX));
    let again = "SELECT m.id, f.attempts, m.data, m.metadata, m.content_type FROM pubsub_failed AS f
        JOIN pubsub_messages AS m ON m.id = f.id
        WHERE f.topic = ?1 AND f.name = ?2 AND (f.next <= ?3 OR f.next > ?4) ORDER BY m.id";
    let mut all = read_due(connection, again, params![topic, group, now, latest], topic, most)?;
    if all.is_empty() {
        let new = "SELECT id, 0, data, metadata, content_type FROM pubsub_messages
            WHERE topic = ?1 AND id > ?2 ORDER BY id";
        all = read_due(connection, new, params![topic, position], topic, most)?;
    }
    let first = "SELECT min(next) FROM pubsub_failed WHERE topic = ?1 AND name = ?2";
    let mut statement = connection.prepare_cached(first)?;
    let next: Option<i64> = statement.query_row(params![topic, group], |row| row.get(0)).optional()?.flatten();
    let next = next.map(|next| Duration::from_millis(u64::try_from(next - now).unwrap_or(0)).min(longest));
    Ok(Batch { due: all, next })
}

/// Reads messages until there are `most`, or their payloads are large.
fn read_due(
    connection: &Connection,
    query: &str,
    parameters: &[&dyn ToSql],
    topic: &str,
    most: usize,
) -> rusqlite::Result<Vec<Due>> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    let (mut all, mut bytes) = (Vec::new(), 0);
    while bytes < READ_BYTES && all.len() < most {
        let Some(row) = rows.next()? else { break };
        let due = due(row, topic)?;
        bytes += due.message.data.len();
        all.push(due);
    }
    Ok(all)
}

fn due(row: &Row<'_>, topic: &str) -> rusqlite::Result<Due> {
    let data: Vec<u8> = row.get(2)?;
    let metadata: String = row.get(3)?;
    let metadata: Metadata = serde_json::from_str(&metadata).unwrap_or_default();
    let message = Message { topic: topic.to_owned(), data: data.into(), metadata, content_type: row.get(4)? };
    Ok(Due { id: row.get(0)?, attempts: row.get(1)?, message })
}
