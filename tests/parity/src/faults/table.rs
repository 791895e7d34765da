//! The table of events after a run.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use deployments::{Deployment, Payload, To};
use serde::Deserialize;

use super::kill::{EVENTS, GRAYSCALE};

/// Timeout for the delivery of pending events, one round a second.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of reading the table, from the same moment on.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Delay between two checks for pending events.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Events on one page.
const PAGE_SIZE: usize = 1000;

/// One row of the table.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    id: u64,
    /// Time of the response to the image: identifies an event together with the size.
    pub(super) event_ts: u64,
    pub(super) input_size: usize,
}

/// The outbox record in the state store; only the number of events matters.
#[derive(Default, Deserialize)]
struct Outbox {
    events: Vec<serde::de::IgnoredAny>,
}

/// Waits until pending events are delivered. Returns all events, and how many are still pending.
pub(super) async fn wait_for_delivery_of_all(deployment: &Deployment) -> anyhow::Result<(Vec<Row>, usize)> {
    let begin = Instant::now();
    let waiting = loop {
        let waiting = waiting(deployment).await?;
        if waiting == 0 || begin.elapsed() > DELIVERY_TIMEOUT {
            break waiting;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    };
    // The last kill may have been that of the service that is asked.
    loop {
        match all(deployment).await {
            Ok(rows) => return Ok((rows, waiting)),
            Err(error) if begin.elapsed() > READ_TIMEOUT => return Err(error.context(deployment.output().to_string())),
            Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}

async fn waiting(deployment: &Deployment) -> anyhow::Result<usize> {
    let body = get(deployment, To::Dapr(GRAYSCALE), "/v1.0/state/statestore/outbox").await?;
    if body.is_empty() {
        return Ok(0);
    }
    let outbox: Outbox = serde_json::from_slice(&body).context("what waits")?;
    Ok(outbox.events.len())
}

/// Reads all pages from newest to oldest. No other service gets images.
async fn all(deployment: &Deployment) -> anyhow::Result<Vec<Row>> {
    let (mut rows, mut before) = (Vec::new(), String::new());
    loop {
        let page = page(deployment, &format!("limit={PAGE_SIZE}{before}")).await?;
        let oldest = page.first().filter(|_| page.len() == PAGE_SIZE).map(|row| row.id);
        rows.extend(page);
        let Some(oldest) = oldest else { return Ok(rows) };
        before = format!("&before={oldest}");
    }
}

/// Reads the newest events: few, because reading all would keep the service busy.
pub(super) async fn newest(deployment: &Deployment) -> anyhow::Result<Vec<Row>> {
    page(deployment, "limit=40").await
}

async fn page(deployment: &Deployment, query: &str) -> anyhow::Result<Vec<Row>> {
    let page = get(deployment, To::App(EVENTS), &format!("/events?{query}")).await?;
    serde_json::from_slice(&page).context("a page of events")
}

async fn get(deployment: &Deployment, to: To, path: &str) -> anyhow::Result<Vec<u8>> {
    let request = deployments::request("GET", path, "localhost");
    let answer = deployment.send(to, request, Payload::Whole(Bytes::new())).await;
    ensure!(matches!(answer.status, 200 | 204), "{to:?} {path}: {}", answer.in_full());
    Ok(answer.body)
}
