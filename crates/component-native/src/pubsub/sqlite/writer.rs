//! Thread that writes. Publishes and acknowledgements that wait at the same time share a commit.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use dapr_building_blocks::InitError;
use dapr_building_blocks::pubsub::{Message, PubSubError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use tokio::sync::{oneshot, watch};

use crate::sqlite::{classify, is_unavailable};

/// Limit on the requests in one commit. Beyond it, the first would wait too long for the last.
const MAX_BATCH: usize = 512;
/// Time between clean-ups, and between those of a full file.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60);
/// Delay before outcomes that could not be written are written again, unless another commit takes them along.
const RETRY_DELAY: Duration = Duration::from_secs(1);
const FULL_INTERVAL: Duration = Duration::from_millis(100);
/// Messages of one topic that one clean-up deletes; publishes wait for it.
const CLEANUP_BATCH: i64 = 5000;

type Answer = oneshot::Sender<Result<(), PubSubError>>;
/// Receiver of an outcome that a caller may wait for later.
pub(super) type Recorded = oneshot::Receiver<Result<(), PubSubError>>;

/// Queue of the writer thread, which ends when this is dropped and the queue is empty.
pub(super) struct Writer {
    requests: mpsc::Sender<(Request, Answer)>,
    /// Changes after each commit with new messages.
    published: watch::Receiver<()>,
}

enum Request {
    Append(Vec<Message>),
    /// A delivery of the message `id`: `None` if it was processed.
    Record {
        topic: String,
        group: String,
        id: i64,
        failure: Option<Failure>,
    },
}

/// A failed delivery.
pub(super) struct Failure {
    /// Number of attempts so far.
    pub(super) attempts: u32,
    /// Delay before the next attempt; `None` parks the message.
    pub(super) delay: Option<Duration>,
    pub(super) error: String,
}

impl Writer {
    pub(super) fn start(connection: Connection, retention: Duration, max_bytes: u64) -> Result<Self, InitError> {
        let size = "SELECT coalesce(sum(length(data)), 0) FROM pubsub_messages";
        let bytes: i64 = connection.query_row(size, [], |row| row.get(0)).map_err(classify)?;
        let bytes = bytes.unsigned_abs();
        let (requests, queue) = mpsc::channel();
        let (published, changes) = watch::channel(());
        let now = Instant::now();
        let worker = Worker {
            connection,
            queue,
            published,
            retention,
            max_bytes,
            bytes,
            cleanup: now,
            full_until: now,
            unwritten: Vec::new(),
        };
        let thread = std::thread::Builder::new().name("pubsub-writer".to_owned());
        thread.spawn(move || worker.run()).map_err(InitError::unavailable)?;
        Ok(Self { requests, published: changes })
    }

    /// Returns once all messages are on disk, or fails if none of them is.
    pub(super) async fn append(&self, messages: Vec<Message>) -> Result<(), PubSubError> {
        self.send(Request::Append(messages)).await.map_err(|_| ended())?
    }

    /// Records the outcome of a delivery. While the file cannot be written, it is kept and written later.
    pub(super) fn record(&self, topic: &str, group: &str, id: i64, failure: Option<Failure>) -> Recorded {
        self.send(Request::Record { topic: topic.to_owned(), group: group.to_owned(), id, failure })
    }

    /// Returns a receiver of changes.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.published.clone()
    }

    fn send(&self, request: Request) -> Recorded {
        let (answer, recorded) = oneshot::channel();
        // Without the thread, the answer is dropped, and so its receiver fails.
        let _ = self.requests.send((request, answer));
        recorded
    }
}

/// The error of a thread that has ended.
pub(super) fn ended() -> PubSubError {
    PubSubError::Unavailable("the thread that writes the messages has ended".into())
}

/// Classifies an error of the database.
pub(super) fn failure(error: rusqlite::Error) -> PubSubError {
    if is_unavailable(&error) { PubSubError::Unavailable(error.into()) } else { PubSubError::Other(error.into()) }
}

struct Worker {
    connection: Connection,
    queue: mpsc::Receiver<(Request, Answer)>,
    published: watch::Sender<()>,
    retention: Duration,
    max_bytes: u64,
    /// Size of all payloads.
    bytes: u64,
    /// Time of the next clean-up.
    cleanup: Instant,
    /// Time before which a full file is not cleaned up again.
    full_until: Instant,
    /// Outcomes of deliveries that could not be written. They come before all later ones: a position that passes a
    /// message without its failure would lose the message.
    unwritten: Vec<(Request, Answer)>,
}

impl Worker {
    fn run(mut self) {
        loop {
            let until_cleanup = self.cleanup.saturating_duration_since(Instant::now());
            let wait = if self.unwritten.is_empty() { until_cleanup } else { until_cleanup.min(RETRY_DELAY) };
            let mut batch = std::mem::take(&mut self.unwritten);
            match self.queue.recv_timeout(wait) {
                Ok(first) => batch.push(first),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            batch.extend(self.queue.try_iter().take(MAX_BATCH - 1));
            if !batch.is_empty() {
                self.commit(batch);
            }
            if self.cleanup <= Instant::now() {
                let is_done = self.clean_up(self.retention, true);
                self.cleanup = Instant::now() + if is_done { CLEANUP_INTERVAL } else { Duration::ZERO };
            }
        }
    }

    fn commit(&mut self, batch: Vec<(Request, Answer)>) {
        let size = |request: &Request| match request {
            Request::Append(messages) => messages.iter().map(|message| message.data.len() as u64).sum(),
            Request::Record { .. } => 0,
        };
        let incoming: u64 = batch.iter().map(|(request, _)| size(request)).sum();
        if self.bytes + incoming > self.max_bytes && self.full_until <= Instant::now() {
            self.clean_up(Duration::ZERO, false);
            self.full_until = Instant::now() + FULL_INTERVAL;
        }
        let (mut accepted, mut room) = (Vec::with_capacity(batch.len()), self.max_bytes.saturating_sub(self.bytes));
        for (request, answer) in batch {
            let size = size(&request);
            if size > room {
                // The caller may have stopped waiting.
                let _ = answer.send(Err(full(self.max_bytes)));
                continue;
            }
            room -= size;
            accepted.push((request, answer));
        }
        let outcome = self.try_commit(accepted.iter().map(|(request, _)| request));
        if outcome.is_ok() {
            self.bytes += accepted.iter().map(|(request, _)| size(request)).sum::<u64>();
            if accepted.iter().any(|(request, _)| matches!(request, Request::Append(_))) {
                self.published.send_replace(());
            }
        }
        for (request, answer) in accepted {
            let copy = match &outcome {
                Ok(()) => Ok(()),
                Err(error) if matches!(request, Request::Append(_)) => {
                    Err(PubSubError::Unavailable(error.to_string().into()))
                }
                Err(error) => {
                    if self.unwritten.is_empty() {
                        tracing::error!(%error, "outcomes of deliveries not written; retrying");
                    }
                    self.unwritten.push((request, answer));
                    continue;
                }
            };
            let _ = answer.send(copy);
        }
    }

    fn try_commit<'a>(&mut self, requests: impl Iterator<Item = &'a Request>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for request in requests {
            match request {
                Request::Append(messages) => messages.iter().try_for_each(|message| append(&transaction, message))?,
                Request::Record { topic, group, id, failure } => {
                    record(&transaction, topic, group, *id, failure.as_ref())?
                }
            }
        }
        transaction.commit()
    }

    /// Deletes messages that are older than `age`, that every group has got, and that none is to get again; those of
    /// topics without any group if `unsubscribed`. Returns false if there may be more.
    fn clean_up(&mut self, age: Duration, unsubscribed: bool) -> bool {
        let until = Timestamp::now().as_millisecond().saturating_sub(millis(age));
        match delete_old(&self.connection, until, unsubscribed) {
            Ok((bytes, is_done)) => {
                self.bytes = self.bytes.saturating_sub(bytes);
                is_done
            }
            Err(error) => {
                tracing::warn!(%error, "old messages not deleted");
                true
            }
        }
    }
}

/// Deletes messages published until `until`, topic by topic; returns the size of their payloads, and whether that is
/// all.
fn delete_old(connection: &Connection, until: i64, unsubscribed: bool) -> rusqlite::Result<(u64, bool)> {
    let old = last_until(connection, until)?;
    // Each step looks up the next topic in the index.
    let topics = "WITH RECURSIVE known(topic) AS (
            SELECT min(topic) FROM pubsub_messages
            UNION ALL
            SELECT (SELECT min(topic) FROM pubsub_messages WHERE topic > known.topic) FROM known WHERE topic NOT NULL
        ) SELECT topic FROM known WHERE topic NOT NULL";
    let topics =
        connection.prepare_cached(topics)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let (mut bytes, mut is_done) = (0, true);
    for topic in topics {
        let got = "SELECT min(position) FROM pubsub_groups WHERE topic = ?";
        let got: Option<i64> = connection.prepare_cached(got)?.query_row([&topic], |row| row.get(0))?;
        let Some(last) = got.or(unsubscribed.then_some(i64::MAX)) else { continue };
        let delete = "DELETE FROM pubsub_messages WHERE id IN (
                SELECT id FROM pubsub_messages AS m WHERE topic = ?1 AND id <= ?2 AND NOT EXISTS (
                    SELECT 1 FROM pubsub_failed AS f WHERE f.topic = m.topic AND f.id = m.id
                ) LIMIT ?3
            ) RETURNING length(data)";
        let mut statement = connection.prepare_cached(delete)?;
        let sizes = statement.query_map(params![topic, last.min(old), CLEANUP_BATCH], |row| row.get::<_, i64>(0))?;
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        bytes += sizes.iter().sum::<i64>().unsigned_abs();
        is_done &= (sizes.len() as i64) < CLEANUP_BATCH;
    }
    Ok((bytes, is_done))
}

/// Returns the id of the last message published until `until`; zero without one. Times grow with ids, but for a clock
/// that is set.
fn last_until(connection: &Connection, until: i64) -> rusqlite::Result<i64> {
    let ends = "SELECT coalesce(min(id), 1) - 1, coalesce(max(id), 0) FROM pubsub_messages";
    let (mut low, mut high): (i64, i64) = connection.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let published = "SELECT published FROM pubsub_messages WHERE id <= ? ORDER BY id DESC LIMIT 1";
    let mut published = connection.prepare_cached(published)?;
    while low < high {
        let middle = low + (high - low + 1) / 2;
        match published.query_row([middle], |row| row.get::<_, i64>(0)).optional()? {
            Some(time) if time > until => high = middle - 1,
            _ => low = middle,
        }
    }
    Ok(low)
}

fn full(max_bytes: u64) -> PubSubError {
    let message = format!("the messages that are kept take up maxBytes ({max_bytes}), and subscribers still need them");
    PubSubError::Other(message.into())
}

fn append(transaction: &Transaction<'_>, message: &Message) -> rusqlite::Result<()> {
    let insert = "INSERT INTO pubsub_messages (topic, data, metadata, content_type, published) VALUES (?, ?, ?, ?, ?)";
    let metadata = serde_json::to_string(&message.metadata).unwrap_or_default();
    let now = Timestamp::now().as_millisecond();
    let Message { topic, data, content_type, .. } = message;
    transaction.prepare_cached(insert)?.execute(params![topic, data.as_ref(), metadata, content_type, now])?;
    Ok(())
}

fn record(
    transaction: &Transaction<'_>,
    topic: &str,
    group: &str,
    id: i64,
    failure: Option<&Failure>,
) -> rusqlite::Result<()> {
    let advance = "UPDATE pubsub_groups SET position = max(position, ?3) WHERE topic = ?1 AND name = ?2";
    transaction.prepare_cached(advance)?.execute(params![topic, group, id])?;
    match failure {
        None => {
            let remove = "DELETE FROM pubsub_failed WHERE topic = ? AND name = ? AND id = ?";
            transaction.prepare_cached(remove)?.execute(params![topic, group, id])?;
        }
        Some(Failure { attempts, delay, error }) => {
            let next = delay.map(|delay| Timestamp::now().as_millisecond().saturating_add(millis(delay)));
            let keep = "REPLACE INTO pubsub_failed (topic, name, id, attempts, next, error) VALUES (?, ?, ?, ?, ?, ?)";
            transaction.prepare_cached(keep)?.execute(params![topic, group, id, attempts, next, error])?;
        }
    }
    Ok(())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
