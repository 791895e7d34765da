//! The state store suite against the real `daprd`, over gRPC, which preserves bytes.

mod contract;
mod store;

use std::sync::Arc;

use anyhow::Context as _;
use deployments::{Deployment, To};
use store_conformance::{Behaviours, Outcome, Report};

use crate::suite::{self, Verdict};
use store::Store;

/// Prefix of the names of these cases.
const PREFIX: &str = "conformance: ";

/// App id of the sidecar whose stores are tested.
const SIDECAR: &str = "caller";

/// Returns true if `only` selects any of these cases.
pub(crate) fn is_wanted(only: &str) -> bool {
    PREFIX.contains(only) || only.starts_with(PREFIX.trim_end())
}

/// Runs the suite against each store of the real deployment.
pub(crate) async fn run(real: &Deployment, mut report: impl FnMut(&Verdict)) -> anyhow::Result<Vec<Verdict>> {
    let port = real.port(To::Grpc(SIDECAR)).context("the sidecar has no gRPC port")?;
    let mut verdicts = Vec::new();
    for (name, behaviours) in [
        ("memory", Behaviours::default()),
        ("sqlite", Behaviours::default()),
        ("redis", Behaviours::redis()),
        ("socket", Behaviours::default()),
    ] {
        // A message is limited to 4 MiB, including the fields around the value.
        let max_value_bytes = (4 << 20) - 1024;
        let behaviours = Behaviours { invalid_requests_are_distinguished: false, max_value_bytes, ..behaviours };
        let store = Arc::new(Store::connect(port, name).await?);
        for verdict in verdicts_of(&store_conformance::run(name, store, behaviours).await) {
            report(&verdict);
            verdicts.push(verdict);
        }
    }
    Ok(verdicts)
}

fn verdicts_of(report: &Report) -> Vec<Verdict> {
    let verdict = |(case, outcome): &(&'static str, Outcome)| {
        let name = format!("{PREFIX}{}, {}", report.store, case.replace('_', " "));
        let (said, outcome, difference) = match outcome {
            Outcome::Passed => ("as it must be".to_owned(), suite::Outcome::Same, String::new()),
            Outcome::NotDeclared => ("not declared".to_owned(), suite::Outcome::Same, String::new()),
            Outcome::Failed(why) => {
                let difference = format!("--- {name}\n{why}\n");
                ("not as it must be".to_owned(), suite::Outcome::Different, difference)
            }
        };
        Verdict { name, said: [String::new(), said], outcome, difference }
    };
    report.outcomes.iter().map(verdict).collect()
}
