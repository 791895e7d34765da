//! Commands on a stream, and their responses.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dapr_building_blocks::Metadata;
use dapr_building_blocks::pubsub::Message;
use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisError, RedisResult, Value, cmd};

use super::config::Trimming;
use crate::redis_client::{Link, Repeat};

/// Fields of an entry.
const DATA: &str = "data";
const METADATA: &str = "metadata";

/// A stream, as one group sees it.
pub(super) struct Stream {
    pub(super) link: Arc<Link>,
    /// Topic.
    pub(super) key: String,
    /// Name of the group and of its consumer.
    pub(super) group: String,
}

/// A message with its id in the stream.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) message: Message,
}

/// A page of pending messages.
pub(super) struct Page {
    /// Messages that have been pending for long enough, now claimed.
    pub(super) claimed: Vec<Entry>,
    /// Id at which the next page begins; `None` after the last one.
    pub(super) next: Option<String>,
}

/// Adds a message to the stream of its topic.
pub(super) async fn add(link: &Link, message: &Message, trimming: Option<Trimming>) -> RedisResult<()> {
    let mut add = cmd("XADD");
    add.arg(&message.topic);
    match trimming {
        None => {}
        Some(Trimming::Length(length)) => {
            add.arg("MAXLEN").arg("~").arg(length);
        }
        Some(Trimming::Age(age)) => {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            let oldest = Timestamp::now().as_millisecond().saturating_sub(age).max(0);
            add.arg("MINID").arg("~").arg(format!("{oldest}-1"));
        }
    }
    add.arg("*").arg(DATA).arg(message.data.as_ref()).arg(METADATA).arg(json(&message.metadata));
    query::<Value>(link, &add).await.map(drop)
}

/// Encodes metadata as Go does.
fn json(metadata: &Metadata) -> String {
    go_compat::write(
        &metadata.iter().map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str()))).collect(),
    )
}

/// Sends a command, again if the connection is lost.
async fn query<T: FromRedisValue + Send>(link: &Link, command: &Cmd) -> RedisResult<T> {
    link.send(Repeat::Harmless, |mut connection| async move { command.query_async(&mut connection).await }).await
}

impl Stream {
    /// Creates the group, from the first message that is kept, and the stream, if they do not exist.
    pub(super) async fn create_group(&self) -> RedisResult<()> {
        let mut create = cmd("XGROUP");
        create.arg("CREATE").arg(&self.key).arg(&self.group).arg("0").arg("MKSTREAM");
        match query::<Value>(&self.link, &create).await {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits up to `block` for messages that no consumer of the group has got, and returns at most `most`.
    pub(super) async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        most: usize,
        block: Duration,
    ) -> RedisResult<Vec<Entry>> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(&self.group).arg(&self.group).arg("COUNT").arg(most);
        read.arg("BLOCK").arg(block.as_millis().to_string()).arg("STREAMS").arg(&self.key).arg(">");
        let Value::Array(streams) = read.query_async(connection).await? else { return Ok(Vec::new()) };
        let entries = streams.into_iter().filter_map(|stream| match stream {
            // Name and entries.
            Value::Array(stream) => stream.into_iter().nth(1),
            _ => None,
        });
        Ok(entries.flat_map(|entries| self.entries(entries)).collect())
    }

    /// Records that messages are processed.
    pub(super) async fn acknowledge(&self, ids: &[String]) -> RedisResult<()> {
        query::<i64>(&self.link, cmd("XACK").arg(&self.key).arg(&self.group).arg(ids)).await.map(drop)
    }

    /// Claims messages of a page from `start` that have been pending for `timeout`, but none of `held`.
    pub(super) async fn claim(
        &self,
        start: String,
        most: usize,
        timeout: Duration,
        held: HashSet<String>,
    ) -> RedisResult<Page> {
        let mut pending = cmd("XPENDING");
        pending.arg(&self.key).arg(&self.group).arg(start).arg("+").arg(most);
        let pending: Vec<(String, String, u64, u64)> = query(&self.link, &pending).await?;
        let next = pending.last().filter(|_| pending.len() == most).and_then(|(id, ..)| following(id));
        let is_due = |(id, _, idle, _): &(String, String, u64, u64)| {
            Duration::from_millis(*idle) >= timeout && !held.contains(id)
        };
        let due: Vec<String> = pending.into_iter().filter(is_due).map(|(id, ..)| id).collect();
        if due.is_empty() {
            return Ok(Page { claimed: Vec::new(), next });
        }
        let mut claim = cmd("XCLAIM");
        claim.arg(&self.key).arg(&self.group).arg(&self.group).arg(millis(timeout)).arg(&due);
        let claimed = self.entries(query(&self.link, &claim).await?);
        for id in due {
            // Another consumer has got it, or it is no longer in the stream.
            if claimed.iter().all(|entry| entry.id != id) && !self.contains(&id).await? {
                tracing::warn!(topic = self.key, group = self.group, id, "pending message was removed from the stream");
                self.acknowledge(&[id]).await?;
            }
        }
        Ok(Page { claimed, next })
    }

    /// Restarts the time for which these messages have been pending.
    pub(super) async fn keep(&self, ids: &[String]) -> RedisResult<()> {
        self.set_idle(ids, Duration::ZERO).await
    }

    /// Lets other consumers have these messages at once, as if they had been pending for `timeout`.
    pub(super) async fn release(&self, ids: &[String], timeout: Duration) -> RedisResult<()> {
        self.set_idle(ids, timeout).await
    }

    async fn set_idle(&self, ids: &[String], idle: Duration) -> RedisResult<()> {
        let mut claim = cmd("XCLAIM");
        claim.arg(&self.key).arg(&self.group).arg(&self.group).arg(0).arg(ids);
        claim.arg("IDLE").arg(millis(idle)).arg("JUSTID");
        query::<Value>(&self.link, &claim).await.map(drop)
    }

    async fn contains(&self, id: &str) -> RedisResult<bool> {
        let found: Vec<Value> = query(&self.link, cmd("XRANGE").arg(&self.key).arg(id).arg(id)).await?;
        Ok(!found.is_empty())
    }

    /// Parses entries. Before Redis 7, one that is no longer in the stream is nil.
    fn entries(&self, entries: Value) -> Vec<Entry> {
        let Value::Array(entries) = entries else { return Vec::new() };
        entries.into_iter().filter_map(|entry| self.entry(entry)).collect()
    }

    fn entry(&self, entry: Value) -> Option<Entry> {
        let Value::Array(entry) = entry else { return None };
        let [id, Value::Array(fields)] = <[Value; 2]>::try_from(entry).ok()? else { return None };
        let id = String::from_utf8(bytes(id)?.into()).ok()?;
        let (mut data, mut metadata) = (Bytes::new(), Metadata::new());
        let mut fields = fields.into_iter();
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            let (name, value) = (bytes(name)?, bytes(value)?);
            if name == DATA {
                data = value;
            } else if name == METADATA {
                // As in Dapr, metadata in another format is none. It is `null` if the publisher gave none.
                metadata = serde_json::from_slice::<Option<_>>(&value).unwrap_or_default().unwrap_or_default();
            }
        }
        Some(Entry { id, message: Message { topic: self.key.clone(), data, metadata, content_type: None } })
    }
}

fn bytes(value: Value) -> Option<Bytes> {
    match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        Value::SimpleString(text) => Some(text.into()),
        _ => None,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the id after `id`, which is `MILLISECONDS-NUMBER`.
fn following(id: &str) -> Option<String> {
    let (millis, number) = id.split_once('-')?;
    match number.parse::<u64>().ok()?.checked_add(1) {
        Some(number) => Some(format!("{millis}-{number}")),
        None => Some(format!("{}-0", millis.parse::<u64>().ok()?.checked_add(1)?)),
    }
}

/// Returns whether the group or the stream is gone: the server has lost data, or someone has deleted them.
pub(super) fn is_group_gone(error: &RedisError) -> bool {
    error.code() == Some("NOGROUP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_encoded_as_in_go() {
        let metadata = [("b", "<1>"), ("a", "ä")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(json(&metadata.into()), "{\"a\":\"ä\",\"b\":\"\\u003c1\\u003e\"}");
    }

    #[test]
    fn id_after_the_last_of_a_millisecond_is_in_the_next() {
        assert_eq!(following("5-7").as_deref(), Some("5-8"));
        assert_eq!(following(&format!("5-{}", u64::MAX)).as_deref(), Some("6-0"));
        assert_eq!(following("5"), None);
    }
}
