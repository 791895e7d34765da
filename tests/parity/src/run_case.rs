//! Runs one case against one deployment.

use std::time::Instant;

use bytes::Bytes;

use deployments::Deployment;
use deployments::RecordedResponse;
use deployments::{Payload, To};

use crate::case::{Case, Step};

/// Delay between attempts of a step that waits for a response.
const RETRY_DELAY: std::time::Duration = std::time::Duration::from_millis(50);

/// Timeout of a step that waits for a response.
const STEP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Values filled into a case's placeholders, so that cases do not affect each other.
pub(crate) struct CaseVars {
    pub(crate) key: String,
    pub(crate) user: String,
}

impl CaseVars {
    /// Creates the values for case `number`.
    pub(crate) fn new(number: usize) -> Self {
        // No key is a prefix of another.
        Self { key: format!("key-{number:04}-of"), user: format!("10.0.{}.{}", number / 250, number % 250 + 1) }
    }
}

/// Returns the responses to all steps of `case`.
pub(crate) async fn run_case(deployment: &Deployment, case: &Case, own: &CaseVars) -> Vec<RecordedResponse> {
    let mut answers = Vec::new();
    for step in &case.steps {
        if let Some(database) = step.database {
            deployment.change(database);
        }
        let begin = Instant::now();
        let answer = loop {
            let answer = once(deployment, step, own, &answers).await;
            let is_it = step.until.is_none_or(|until| until.is_met(answer.status, &answer.body));
            if is_it || begin.elapsed() > STEP_TIMEOUT {
                break answer;
            }
            tokio::time::sleep(RETRY_DELAY).await;
        };
        answers.push(answer);
    }
    answers
}

async fn once(deployment: &Deployment, step: &Step, own: &CaseVars, before: &[RecordedResponse]) -> RecordedResponse {
    let fill = |text: &str| fill_placeholders(text, deployment, own, before);
    // The host that a client would send, without the port, which differs.
    let mut request = deployments::request(&step.method, &fill(&step.target), "localhost");
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
    deployment.send(step.to, request, payload).await
}

fn fill_placeholders(text: &str, deployment: &Deployment, own: &CaseVars, before: &[RecordedResponse]) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let mut text = text.replace("{key}", &own.key).replace("{user}", &own.user);
    for (number, answer) in before.iter().enumerate() {
        text = text.replace(&format!("{{etag:{number}}}"), answer.header("etag").unwrap_or_default());
    }
    for (to, port) in deployment.ports() {
        if let To::App(id) = to {
            text = text.replace(&format!("{{app:{id}}}"), &format!("127.0.0.1:{port}"));
        }
    }
    text
}
