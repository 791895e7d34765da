//! A component app whose requests are attacks (`fixtures/hostile`).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::request;

use super::Attack;
use crate::raw;
use crate::target::{Setup, Target, tally};

/// Requests that are attacked with at once.
const AT_ONCE: usize = 4;

/// Paths that never respond.
const LOOPS: [&str; 8] = ["/compute", "/poll", "/now", "/print", "/fill", "/copy", "/random", "/headers"];

/// Paths that respond with what they got.
const HOARDS: [&str; 3] = ["/memory", "/fields", "/pollables"];

pub(super) fn all(quick: bool) -> Vec<Attack> {
    let mut attacks: Vec<Attack> = LOOPS.chunks(AT_ONCE).map(loops).collect();
    if !quick {
        attacks.extend(LOOPS.iter().map(|path| loops(&[*path; AT_ONCE])));
    }
    // In a debug build, copying so many headers takes minutes.
    attacks.extend(HOARDS.into_iter().filter(|path| !(quick && *path == "/fields")).map(hoard));
    attacks.push(Attack::new("component: body that nobody reads", Setup::component, unread_body));
    attacks.push(Attack::new("component: trap amid a body", Setup::component, trap_amid_body));
    attacks
}

/// Requests that never end, until their clients leave.
fn loops(paths: &[&'static str]) -> Attack {
    let mut names: Vec<&str> = paths.iter().map(|path| &path[1..]).collect();
    names.dedup();
    let name = format!("components: {}", names.join(", "));
    let paths = paths.to_vec();
    Attack::new(name, Setup::component, move |target, duration| {
        let port = target.hostile_port()?;
        let connections: Vec<TcpStream> = paths.iter().map(|path| send(port, path)).collect::<Result<_>>()?;
        std::thread::sleep(duration);
        drop(connections);
        responds(port)
    })
}

/// A guest that takes as much of one thing as it gets.
fn hoard(path: &'static str) -> Attack {
    Attack::new(format!("component: hoards {}", &path[1..]), Setup::component, move |target, _| {
        let port = target.hostile_port()?;
        let url = format!("http://127.0.0.1:{port}{path}");
        let responses: Vec<String> = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| request("GET", &url).send())).collect();
            let responses = senders.into_iter().filter_map(|sender| sender.join().ok());
            responses.map(|it| if it.status == 200 { it.text() } else { it.status.to_string() }).collect()
        });
        let memory = target.peak_memory();
        // What all instances of an app may hold, and what else the process has.
        ensure!(memory < 4096 + 512, "the process had {memory} MiB");
        responds(port)?;
        Ok(tally(&responses))
    })
}

fn unread_body(target: &Target, duration: Duration) -> Result<String> {
    let port = target.hostile_port()?;
    let connections: Vec<TcpStream> = (0..50).map(|_| send(port, "/body")).collect::<Result<_>>()?;
    std::thread::sleep(duration);
    drop(connections);
    responds(port)
}

fn trap_amid_body(target: &Target, _: Duration) -> Result<String> {
    let port = target.hostile_port()?;
    let response = raw::exchange(port, b"GET /trap-amid-body HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let is_whole = response.as_ref().is_ok_and(|text| text.ends_with("0\r\n\r\n"));
    ensure!(!is_whole, "the response looks complete");
    responds(port)
}

/// Sends a request and does not wait for its response.
fn send(port: u16, path: &str) -> Result<TcpStream> {
    let mut stream = raw::connect(port)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// Fails where the app itself does not respond any more. Returns the time that it took.
fn responds(port: u16) -> Result<String> {
    let begin = Instant::now();
    let mut stream = send(port, "/")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    ensure!(&status == b"HTTP/1.1 200", "the app itself answers {}", String::from_utf8_lossy(&status));
    Ok(format!("itself in {:.0?}", begin.elapsed()))
}
