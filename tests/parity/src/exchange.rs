//! State written by one runtime is read by the other: both share one Redis and one SQLite file.

use crate::case::{Case, Step, case, dapr};
use crate::normalise::Normaliser;
use crate::report;
use crate::run_case::{CaseVars, run_case};
use deployments::Deployment;
use deployments::RecordedResponse;

use crate::suite::{Outcome, Verdict};

const STORES: [&str; 7] = ["sqlite", "redis", "by-namespace", "by-empty", "by-octal", "by-template", "encrypted"];
const VALUES: [&str; 9] = [
    "1",
    "\"text ä€😀 \\n\"",
    "null",
    "[1,2,[3]]",
    "{\"a\":{\"b\":null}}",
    "0.5",
    "123456789012345.123456",
    "\"\"",
    "\"a longer text, a longer text, a longer text\"",
];

/// Runs the cases on two deployments that share their stores.
pub(crate) async fn run(
    deployments: [&Deployment; 2],
    only: &str,
    mut report: impl FnMut(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    let [ours, real] = deployments;
    for (writer, reader, names) in
        [(ours, real, "written by daprlet, read by daprd"), (real, ours, "written by daprd, read by daprlet")]
    {
        for store in STORES {
            for (number, value) in VALUES.iter().enumerate() {
                for metadata in ["", r#","metadata":{"ttlInSeconds":"1000"}"#] {
                    let name = format!("exchange: {store}: {value}{metadata}, {names}");
                    if !name.contains(only) {
                        continue;
                    }
                    let own = CaseVars::new(verdicts.len() + 5000 + number);
                    let item = format!(r#"[{{"key":"{{key}}","value":{value}{metadata}}}]"#);
                    let verdict = exchange(writer, reader, [ours, real], store, &item, &own, name).await?;
                    report(&verdict);
                    verdicts.push(verdict);
                }
            }
        }
    }
    Ok(verdicts)
}

/// Writes, reads with both, overwrites with the etag from the other, and reads with both again.
async fn exchange(
    writer: &Deployment,
    reader: &Deployment,
    both: [&Deployment; 2],
    store: &str,
    item: &str,
    own: &CaseVars,
    name: String,
) -> anyhow::Result<Verdict> {
    let path = format!("/v1.0/state/{store}");
    let get = || dapr("caller", "GET", format!("{path}/{{key}}"));
    let save = |item: String| dapr("caller", "POST", path.clone()).json(item);
    let write = save(item.to_owned());
    let written = answer(writer, write.clone(), own).await;
    let mut steps = vec![write];
    let mut answers = vec![(written.clone(), done())];
    answers.push(read(both, get(), own).await?);
    steps.push(get());
    let etag = answer(reader, get(), own).await.header("etag").unwrap_or_default().to_owned();
    let overwrite = save(format!(r#"[{{"key":"{{key}}","value":"over","etag":"{etag}"}}]"#));
    answers.push((answer(reader, overwrite.clone(), own).await, done()));
    steps.push(overwrite);
    answers.push(read(both, get(), own).await?);
    steps.push(get());
    let is_same = answers.iter().all(|(ours, real)| ours == real);
    let outcome = if is_same { Outcome::Same } else { Outcome::Different };
    Ok(report::verdict(Case { name, steps }, &answers, outcome))
}

/// Expected response to a successful write.
fn done() -> RecordedResponse {
    RecordedResponse { status: 204, ..RecordedResponse::default() }
}

async fn answer(deployment: &Deployment, step: Step, own: &CaseVars) -> RecordedResponse {
    let mut answer = run_case(deployment, &case("", [step]), own).await.pop().unwrap_or_default();
    // Both deployments trace responses in the same route, which other cases test.
    answer.headers.retain(|(name, _)| name != "traceparent");
    answer
}

async fn read(
    [ours, real]: [&Deployment; 2],
    step: Step,
    own: &CaseVars,
) -> anyhow::Result<(RecordedResponse, RecordedResponse)> {
    let (ours, real) = (answer(ours, step.clone(), own).await, answer(real, step, own).await);
    // Etags are compared unchanged: both read the same record.
    let mut times = Normaliser::new(&<_>::default(), &[])?;
    Ok((times.normalise(&ours), times.normalise(&real)))
}
