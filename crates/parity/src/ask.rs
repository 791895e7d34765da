//! Asks one world one case.

use std::time::Instant;

use bytes::Bytes;

use crate::answer::Answer;
use crate::case::{Case, Payload, Step, To};
use crate::client;
use crate::world::World;

/// Between two tries of a step that waits for something.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// The answers to all steps of `case`. `key` is what `{key}` stands for.
pub(crate) async fn ask(world: &World, case: &Case, key: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for step in &case.steps {
        let begin = Instant::now();
        let answer = loop {
            let answer = once(world, step, key, &answers).await;
            match step.until {
                Some((status, patience)) if answer.status != status && begin.elapsed() < patience => {
                    tokio::time::sleep(PAUSE).await;
                }
                _ => break answer,
            }
        };
        answers.push(answer);
    }
    answers
}

async fn once(world: &World, step: &Step, key: &str, before: &[Answer]) -> Answer {
    let fill = |text: &str| filled(text, world, key, before);
    // What a client would send, were it not for the ports, which differ.
    let mut request = client::request(&step.method, &fill(&step.target), "localhost");
    for (name, value) in &step.headers {
        request = request.header(name, fill(value));
    }
    let payload = match &step.body {
        Payload::Whole(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Payload::Whole(Bytes::from(fill(text))),
            Err(_) => step.body.clone(),
        },
        Payload::Chunks(_) => step.body.clone(),
    };
    world.send(step.to, request, payload).await
}

fn filled(text: &str, world: &World, key: &str, before: &[Answer]) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let mut text = text.replace("{key}", key);
    for (number, answer) in before.iter().enumerate() {
        text = text.replace(&format!("{{etag:{number}}}"), answer.header("etag").unwrap_or_default());
    }
    for (to, port) in world.ports() {
        if let To::App(id) = to {
            text = text.replace(&format!("{{app:{id}}}"), &format!("127.0.0.1:{port}"));
        }
    }
    text
}
