//! What is in the table of events in the end.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde::Deserialize;
use worlds::{Payload, To, World};

use super::victim::{EVENTS, GRAYSCALE};

/// What waits is delivered within this time, a round a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at what waits.
const PAUSE: Duration = Duration::from_millis(50);
/// Events of one page.
const PAGE: usize = 1000;

/// One event.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    id: u64,
    /// When the service had answered the picture: together with the size, this tells events apart.
    pub(super) event_ts: u64,
    pub(super) input_size: usize,
}

/// The record in the state store; of its events only their number counts.
#[derive(Default, Deserialize)]
struct Outbox {
    events: Vec<serde::de::IgnoredAny>,
}

/// All events in the table, once the cron binding has delivered what waits, and how many still wait.
pub(super) async fn settled(world: &World) -> anyhow::Result<(Vec<Row>, usize)> {
    let begin = Instant::now();
    let waiting = loop {
        let waiting = waiting(world).await?;
        if waiting == 0 || begin.elapsed() > PATIENCE {
            break waiting;
        }
        tokio::time::sleep(PAUSE).await;
    };
    Ok((all(world).await?, waiting))
}

async fn waiting(world: &World) -> anyhow::Result<usize> {
    let body = get(world, To::Dapr(GRAYSCALE), "/v1.0/state/statestore/outbox").await?;
    if body.is_empty() {
        return Ok(0);
    }
    let outbox: Outbox = serde_json::from_slice(&body).context("what waits")?;
    Ok(outbox.events.len())
}

/// Page by page, from the newest events to the oldest. Nobody sends a picture to any other service.
async fn all(world: &World) -> anyhow::Result<Vec<Row>> {
    let (mut rows, mut before) = (Vec::new(), String::new());
    loop {
        let page = page(world, &format!("limit={PAGE}{before}")).await?;
        let oldest = page.first().filter(|_| page.len() == PAGE).map(|row| row.id);
        rows.extend(page);
        let Some(oldest) = oldest else { return Ok(rows) };
        before = format!("&before={oldest}");
    }
}

/// The last events that came into the table: few, because reading all of them would keep the service busy.
pub(super) async fn newest(world: &World) -> anyhow::Result<Vec<Row>> {
    page(world, "limit=40").await
}

async fn page(world: &World, query: &str) -> anyhow::Result<Vec<Row>> {
    let page = get(world, To::App(EVENTS), &format!("/events?{query}")).await?;
    serde_json::from_slice(&page).context("a page of events")
}

async fn get(world: &World, to: To, path: &str) -> anyhow::Result<Vec<u8>> {
    let request = worlds::request("GET", path, "localhost");
    let answer = world.send(to, request, Payload::Whole(Bytes::new())).await;
    ensure!(matches!(answer.status, 200 | 204), "{to:?} {path}: {}", answer.in_full());
    Ok(answer.body)
}
