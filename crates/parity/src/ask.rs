//! Asks one world one case.

use std::time::Instant;

use bytes::Bytes;

use worlds::Answer;
use worlds::World;
use worlds::{Payload, To};

use crate::case::{Case, Step};

/// Between two tries of a step that waits for something.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// What is waited for comes within this time.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// What stands for itself in a case, so that cases do not meet.
pub(crate) struct Own {
    pub(crate) key: String,
    pub(crate) user: String,
}

impl Own {
    /// Of the case of that number.
    pub(crate) fn of(number: usize) -> Self {
        // No key is a part of another one.
        Self { key: format!("key-{number:04}-of"), user: format!("10.0.{}.{}", number / 250, number % 250 + 1) }
    }
}

/// The answers to all steps of `case`.
pub(crate) async fn ask(world: &World, case: &Case, own: &Own) -> Vec<Answer> {
    let mut answers = Vec::new();
    for step in &case.steps {
        if let Some(database) = step.database {
            world.change(database);
        }
        let begin = Instant::now();
        let answer = loop {
            let answer = once(world, step, own, &answers).await;
            let is_it = step.until.is_none_or(|until| until.is_met(answer.status, &answer.body));
            if is_it || begin.elapsed() > PATIENCE {
                break answer;
            }
            tokio::time::sleep(PAUSE).await;
        };
        answers.push(answer);
    }
    answers
}

async fn once(world: &World, step: &Step, own: &Own, before: &[Answer]) -> Answer {
    let fill = |text: &str| filled(text, world, own, before);
    // What a client would send, were it not for the ports, which differ.
    let mut request = worlds::request(&step.method, &fill(&step.target), "localhost");
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

fn filled(text: &str, world: &World, own: &Own, before: &[Answer]) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let mut text = text.replace("{key}", &own.key).replace("{user}", &own.user);
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
