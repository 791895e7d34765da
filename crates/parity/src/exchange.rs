//! What the one world has written, the other reads: both on one Redis and one SQLite file.

use crate::ask::{Own, ask};
use crate::case::{Case, Step, case, dapr};
use crate::normalise::Normaliser;
use crate::report;
use worlds::Answer;
use worlds::World;

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

/// Asks both worlds, which share their stores.
pub(crate) async fn run(
    worlds: [&World; 2],
    only: &str,
    mut told: impl FnMut(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    let [ours, real] = worlds;
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
                    let own = Own::of(verdicts.len() + 5000 + number);
                    let item = format!(r#"[{{"key":"{{key}}","value":{value}{metadata}}}]"#);
                    let verdict = exchange(writer, reader, [ours, real], store, &item, &own, name).await?;
                    told(&verdict);
                    verdicts.push(verdict);
                }
            }
        }
    }
    Ok(verdicts)
}

/// One writes; both read, and must read the same; the other overwrites with the etag that it read; both read again.
async fn exchange(
    writer: &World,
    reader: &World,
    both: [&World; 2],
    store: &str,
    item: &str,
    own: &Own,
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

/// What a write that succeeds is answered with.
fn done() -> Answer {
    Answer { status: 204, ..Answer::default() }
}

async fn answer(world: &World, step: Step, own: &Own) -> Answer {
    let mut answer = ask(world, &case("", [step]), own).await.pop().unwrap_or_default();
    // Both worlds trace their answers in the same way, which other cases show.
    answer.headers.retain(|(name, _)| name != "traceparent");
    answer
}

async fn read([ours, real]: [&World; 2], step: Step, own: &Own) -> anyhow::Result<(Answer, Answer)> {
    let (ours, real) = (answer(ours, step.clone(), own).await, answer(real, step, own).await);
    // Etags are compared as they are: both read the same one.
    let mut times = Normaliser::new(&<_>::default(), &[])?;
    Ok((times.normalise(&ours), times.normalise(&real)))
}
