//! The load generator: keep-alive connections that each send one request after another.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Target, request and duration of a load.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address of the server, HOST:PORT
    #[arg(long)]
    address: String,
    #[arg(long, default_value = "/")]
    path: String,
    #[arg(long, default_value = "GET")]
    method: String,
    /// File with the request body
    #[arg(long)]
    body: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Duration in milliseconds
    #[arg(long, default_value_t = 5000)]
    millis: u64,
}

/// Measurements of a load.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Outcome {
    /// Requests with a 2xx response.
    pub(crate) requests: u64,
    /// Requests before the measurement, which warmed connections and caches.
    #[serde(default)]
    pub(crate) warming: u64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// Median latency in microseconds.
    pub(crate) p50: f64,
    /// 90th percentile of the latency in microseconds.
    pub(crate) p90: f64,
    /// 99th percentile of the latency in microseconds.
    pub(crate) p99: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(send(arguments))?;
    let line = serde_json::to_string(&outcome)?;
    std::io::Write::write_all(&mut std::io::stdout().lock(), line.as_bytes())?;
    Ok(())
}

async fn send(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let body = match &arguments.body {
        Some(path) => std::fs::read(path).with_context(|| path.display().to_string())?,
        None => Vec::new(),
    };
    let mut request = format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
        arguments.method,
        arguments.path,
        arguments.address,
        body.len()
    )
    .into_bytes();
    request.extend(body);
    let begin = Instant::now();
    let end = begin + Duration::from_millis(arguments.millis);
    let connections: Vec<_> = (0..arguments.connections)
        .map(|_| tokio::spawn(connection(arguments.address.clone(), request.clone(), end)))
        .collect();
    let mut times = Vec::new();
    for connection in connections {
        times.extend(connection.await??);
    }
    let seconds = begin.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times.get(index.min(times.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    let requests = times.len() as u64;
    Ok(Outcome { requests, warming: 0, rate: requests as f64 / seconds, p50: at(0.5), p90: at(0.9), p99: at(0.99) })
}

async fn connection(address: String, request: Vec<u8>, end: Instant) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(&address).await.with_context(|| address.clone())?;
    stream.set_nodelay(true)?;
    let mut times = Vec::new();
    let mut buffer = Vec::new();
    while Instant::now() < end {
        let begin = Instant::now();
        stream.write_all(&request).await?;
        answer(&mut stream, &mut buffer).await?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

/// Reads one response, which must be successful.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    buffer.clear();
    loop {
        ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(buffer.get(..head).unwrap_or_default()).into_owned();
        let status = text.split(' ').nth(1).unwrap_or_default();
        if !status.starts_with('2') {
            bail!("answered {}", text.lines().next().unwrap_or_default());
        }
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if text.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            while !buffer.ends_with(b"\r\n0\r\n\r\n") {
                ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
            }
            return Ok(());
        }
        let total = head + 4 + length.unwrap_or(0);
        while buffer.len() < total {
            ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
        }
        return Ok(());
    }
}
