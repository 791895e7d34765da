//! Deliveries of one stream to one group.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dapr_building_blocks::binding::DeliveryError;
use dapr_building_blocks::pubsub::MessageHandler;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::config::{Delivery, Redelivery};
use super::stream::{Entry, Page, Stream, is_group_gone};
use crate::pubsub::finished;
use crate::redis_client::Repeat;

/// Time for which the server waits for messages before it responds.
const BLOCK: Duration = Duration::from_secs(5);
/// Delay before a failed command is sent again.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// Time that a read gets to end after the shutdown.
const READ_END_TIMEOUT: Duration = Duration::from_secs(1);
/// Ids in one command.
const MAX_IDS: usize = 1000;
/// A message that waits or is processed is kept from other consumers this often in each processing timeout.
const KEEPS_PER_TIMEOUT: u32 = 3;
/// First id of a stream.
const FIRST: &str = "-";

pub(super) struct Subscription {
    /// Name of the component.
    pub(super) pubsub: String,
    pub(super) stream: Stream,
    pub(super) delivery: Delivery,
    pub(super) handler: Arc<dyn MessageHandler>,
}

/// Messages that this process has got.
#[derive(Default)]
struct Held {
    /// Messages that wait.
    queue: VecDeque<Entry>,
    /// Ids of all: waiting, being processed, or processed without the server's knowledge.
    ids: HashSet<String>,
    /// Processed messages to acknowledge.
    processed: Vec<String>,
    /// Ids that ended while pending messages were looked for; the result may still have them.
    ended: HashSet<String>,
}

impl Held {
    fn add(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if !self.ended.contains(&entry.id) && self.ids.insert(entry.id.clone()) {
                self.queue.push_back(entry);
            }
        }
    }

    fn end(&mut self, id: String, is_looking: bool) {
        self.ids.remove(&id);
        if is_looking {
            self.ended.insert(id);
        }
    }
}

/// The connection that waits for new messages.
struct Reader {
    connection: Option<MultiplexedConnection>,
    /// Number that the server gives the connection; 0 if it is unknown.
    client: Arc<AtomicI64>,
    /// True after an error, which is logged once.
    has_failed: bool,
}

impl Subscription {
    /// Delivers messages until `shutdown`, and finishes those under way.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let Delivery { queue_depth, concurrency, redelivery } = self.delivery;
        let client = Arc::<AtomicI64>::default();
        let mut reader = Some(Reader { connection: None, client: client.clone(), has_failed: false });
        let mut held = Held::default();
        let mut deliveries = FuturesUnordered::new();
        let mut reading: Option<BoxFuture<'_, (Reader, Vec<Entry>)>> = None;
        let mut claiming: Option<BoxFuture<'_, RedisResult<Page>>> = None;
        let mut acknowledging: Option<BoxFuture<'_, (Vec<String>, RedisResult<()>)>> = None;
        let mut keeping: Option<BoxFuture<'_, ()>> = None;
        // Place from which pending messages are looked for.
        let mut next_page = redelivery.map(|_| FIRST.to_owned());
        let mut search = timer(redelivery.map(|redelivery| redelivery.interval));
        let mut keep = timer(redelivery.map(|redelivery| redelivery.processing_timeout / KEEPS_PER_TIMEOUT));
        let mut unblocking: Option<BoxFuture<'_, ()>> = None;
        let mut is_stopping = false;
        loop {
            if !is_stopping && shutdown.is_cancelled() {
                is_stopping = true;
                unblocking = reading.is_some().then(|| -> BoxFuture<'_, ()> { Box::pin(self.unblock(client.clone())) });
            }
            if !is_stopping {
                while deliveries.len() < concurrency
                    && let Some(Entry { id, message }) = held.queue.pop_front()
                {
                    deliveries.push(async { (id, self.handler.handle(message).await) });
                }
                // Messages that were delivered before come first.
                if claiming.is_none()
                    && held.queue.len() < queue_depth
                    && let Some((Redelivery { processing_timeout, .. }, start)) = redelivery.zip(next_page.take())
                {
                    held.ended.clear();
                    let claim = self.stream.claim(start, queue_depth, processing_timeout, held.ids.clone());
                    claiming = Some(Box::pin(claim));
                }
                if claiming.is_none()
                    && held.queue.len() < queue_depth
                    && let Some(reader) = reader.take()
                {
                    let most = queue_depth - held.queue.len();
                    reading = Some(Box::pin(self.read(reader, most, shutdown.clone())));
                }
            }
            if acknowledging.is_none() && !held.processed.is_empty() {
                let ids = held.processed.split_off(held.processed.len().saturating_sub(MAX_IDS));
                acknowledging = Some(Box::pin(self.acknowledge(ids, &shutdown)));
            }
            let is_idle = deliveries.is_empty() && reading.is_none() && claiming.is_none() && acknowledging.is_none();
            if is_stopping && is_idle {
                break;
            }
            tokio::select! {
                () = shutdown.cancelled(), if !is_stopping => {}
                Some((id, outcome)) = deliveries.next(), if !deliveries.is_empty() => {
                    self.record(id, outcome, &mut held, claiming.is_some());
                }
                (ids, outcome) = finished(&mut acknowledging) => match outcome {
                    Ok(()) => ids.into_iter().for_each(|id| held.end(id, claiming.is_some())),
                    // They are delivered again, by whoever runs then.
                    Err(_) if is_stopping => {}
                    Err(_) => held.processed.extend(ids),
                },
                page = finished(&mut claiming) => match page {
                    Ok(Page { claimed, next }) => {
                        held.add(claimed);
                        next_page = next;
                    }
                    Err(error) => {
                        let Self { pubsub, stream, .. } = &self;
                        tracing::error!(pubsub, topic = stream.key, %error, "pending messages not read; retrying");
                    }
                },
                (idle, entries) = finished(&mut reading) => {
                    reader = Some(idle);
                    held.add(entries);
                }
                () = finished(&mut keeping) => {}
                () = finished(&mut unblocking) => {}
                () = tick(&mut keep), if keeping.is_none() && !held.ids.is_empty() => {
                    let ids: Vec<String> = held.ids.iter().cloned().collect();
                    keeping = Some(Box::pin(self.keep(ids)));
                }
                () = tick(&mut search), if !is_stopping && next_page.is_none() && claiming.is_none() => {
                    next_page = Some(FIRST.to_owned());
                }
            }
        }
        if let Some(Redelivery { processing_timeout, .. }) = redelivery {
            self.release(held.queue, processing_timeout).await;
        }
    }

    /// Waits for new messages; returns none if there are none for a while, or after an error and a delay.
    async fn read(&self, mut reader: Reader, most: usize, shutdown: CancellationToken) -> (Reader, Vec<Entry>) {
        let late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(READ_END_TIMEOUT).await;
        };
        let read = tokio::select! {
            read = reader.read(&self.stream, most) => read,
            () = late => Ok(Vec::new()),
        };
        let Self { pubsub, stream: Stream { key, group, .. }, .. } = self;
        match read {
            Ok(entries) => {
                if std::mem::take(&mut reader.has_failed) {
                    tracing::info!(pubsub, topic = key, "connected to Redis again");
                }
                (reader, entries)
            }
            Err(error) if is_group_gone(&error) => {
                tracing::warn!(pubsub, topic = key, group, "group is gone from Redis; creating it again");
                if let Err(error) = self.stream.create_group().await {
                    tracing::error!(pubsub, topic = key, group, %error, "group not created; retrying");
                    shutdown.run_until_cancelled(tokio::time::sleep(RETRY_DELAY)).await;
                }
                (reader, Vec::new())
            }
            Err(error) => {
                if !std::mem::replace(&mut reader.has_failed, true) {
                    tracing::error!(pubsub, topic = key, %error, "cannot read messages; retrying");
                }
                reader.connection = None;
                shutdown.run_until_cancelled(tokio::time::sleep(RETRY_DELAY)).await;
                (reader, Vec::new())
            }
        }
    }

    /// Ends the read under way, so that messages that arrive from now on go to others.
    async fn unblock(&self, client: Arc<AtomicI64>) {
        let client = client.load(Ordering::Acquire);
        if client != 0 {
            let unblock = |mut connection| async move {
                cmd("CLIENT").arg("UNBLOCK").arg(client).query_async::<i64>(&mut connection).await
            };
            // Without it, the read ends a little later.
            let _ = self.stream.link.send(Repeat::Harmful, unblock).await;
        }
    }

    async fn acknowledge(&self, ids: Vec<String>, shutdown: &CancellationToken) -> (Vec<String>, RedisResult<()>) {
        let outcome = self.stream.acknowledge(&ids).await;
        if let Err(error) = &outcome {
            let Self { pubsub, stream, .. } = self;
            tracing::error!(pubsub, topic = stream.key, count = ids.len(), %error, "messages not acknowledged");
            shutdown.run_until_cancelled(tokio::time::sleep(RETRY_DELAY)).await;
        }
        (ids, outcome)
    }

    fn record(&self, id: String, outcome: Result<(), DeliveryError>, held: &mut Held, is_looking: bool) {
        match outcome {
            Ok(()) => held.processed.push(id),
            Err(error) => {
                let Self { pubsub, stream: Stream { key, group, .. }, delivery, .. } = self;
                let is_again = delivery.redelivery.is_some();
                tracing::warn!(pubsub, topic = key, group, id, %error, is_again, "message not processed");
                held.end(id, is_looking);
            }
        }
    }

    /// Keeps messages from being claimed while this process has them.
    async fn keep(&self, ids: Vec<String>) {
        for ids in ids.chunks(MAX_IDS) {
            if let Err(error) = self.stream.keep(ids).await {
                tracing::debug!(pubsub = self.pubsub, topic = self.stream.key, %error, "messages not kept");
                return;
            }
        }
    }

    /// Lets others have the messages that were not delivered.
    async fn release(&self, queue: VecDeque<Entry>, processing_timeout: Duration) {
        let ids: Vec<String> = queue.into_iter().map(|entry| entry.id).collect();
        for ids in ids.chunks(MAX_IDS) {
            if let Err(error) = self.stream.release(ids, processing_timeout).await {
                // Others get them after the processing timeout.
                tracing::debug!(pubsub = self.pubsub, topic = self.stream.key, %error, "messages not released");
                return;
            }
        }
    }
}

impl Reader {
    async fn read(&mut self, stream: &Stream, most: usize) -> RedisResult<Vec<Entry>> {
        if self.connection.is_none() {
            self.client.store(0, Ordering::Release);
            let mut connection = stream.link.open_blocking(BLOCK).await?;
            // A server may forbid it.
            let client = cmd("CLIENT").arg("ID").query_async(&mut connection).await.unwrap_or(0);
            self.client.store(client, Ordering::Release);
            self.connection = Some(connection);
        }
        match &mut self.connection {
            Some(connection) => stream.read(connection, most, BLOCK).await,
            None => Ok(Vec::new()),
        }
    }
}

fn timer(period: Option<Duration>) -> Option<tokio::time::Interval> {
    let period = period?.max(Duration::from_millis(1));
    let mut timer = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(timer)
}

async fn tick(timer: &mut Option<tokio::time::Interval>) {
    match timer {
        Some(timer) => drop(timer.tick().await),
        None => std::future::pending().await,
    }
}
