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

#[derive(Deserialize)]
struct Row {
    id: u64,
    op_type: String,
    input_size: usize,
}

/// The record in the state store; of its events only their number counts.
#[derive(Default, Deserialize)]
struct Outbox {
    events: Vec<serde::de::IgnoredAny>,
}

/// The sizes of all pictures in the table, once the cron binding has delivered what waits, and how many still wait.
pub(super) async fn settled(world: &World) -> anyhow::Result<(Vec<usize>, usize)> {
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

/// The sizes of all pictures, page by page, from the newest event to the oldest.
pub(super) async fn all(world: &World) -> anyhow::Result<Vec<usize>> {
    let (mut sizes, mut before) = (Vec::new(), String::new());
    loop {
        let page = get(world, To::App(EVENTS), &format!("/events?limit={PAGE}{before}")).await?;
        let page: Vec<Row> = serde_json::from_slice(&page).context("a page of events")?;
        sizes.extend(page.iter().filter(|row| row.op_type == "grayscale").map(|row| row.input_size));
        let Some(oldest) = page.first().filter(|_| page.len() == PAGE) else { return Ok(sizes) };
        before = format!("&before={}", oldest.id);
    }
}

async fn get(world: &World, to: To, path: &str) -> anyhow::Result<Vec<u8>> {
    let request = worlds::request("GET", path, "localhost");
    let answer = world.send(to, request, Payload::Whole(Bytes::new())).await;
    ensure!(matches!(answer.status, 200 | 204), "{to:?} {path}: {}", answer.in_full());
    Ok(answer.body)
}
