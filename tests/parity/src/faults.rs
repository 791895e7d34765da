//! Kills every process in turn, under load: each acknowledged event must be in the table exactly once.
//!
//! This is not a comparison: both deployments must follow the same rules, and a line of the table is `same` if both do.
//! WasmEdge and `dapr run` restart nothing; in production systemd or Kubernetes does. Here the harness restarts a
//! killed process with its old command, directory and ports, and never touches the others.

mod chaos;
mod drill;
mod judge;
mod kill;
mod load;
mod table;

use deployments::{Config, Deployment, Kind, Programs, Redis, ServerPair, topology};

use crate::suite::{Outcome, Verdict};
pub(crate) use chaos::{Chaos, Tally, run as run_chaos};
use drill::DrillResult;
use judge::Judgement;
use kill::Kill;

/// Kills the processes that `only` selects, in both deployments.
pub(crate) async fn run(
    programs: &Programs,
    only: &str,
    mut report: impl FnMut(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let named = |config: Config, kill: &Kill| format!("fault: {}/: {kill}", config.folder());
    let mut verdicts = Vec::new();
    let mut servers = None;
    for config in [Config::Production, Config::Development] {
        let mut kills = [kill::daprlet_kills(config), kill::real_kills(config)];
        kills.iter_mut().for_each(|all| all.retain(|kill| named(config, kill).contains(only)));
        if kills.iter().all(Vec::is_empty) {
            continue;
        }
        let servers = match &mut servers {
            Some(started) => started,
            none => none.insert(tokio::task::block_in_place(Both::start)?),
        };
        let dapr = Kind::Real(programs.clone());
        let [ours, real] = kills;
        let ours = one_world(&Kind::Daprlet, &mut servers.ours, config, ours);
        let real = one_world(&dapr, &mut servers.real, config, real);
        let (ours, real) = tokio::try_join!(ours, real)?;
        for kill in judge::kills(&ours, &real) {
            let verdict = verdict(named(config, &kill), judge::find(&ours, kill), judge::find(&real, kill));
            report(&verdict);
            verdicts.push(verdict);
        }
    }
    Ok(verdicts)
}

/// Database servers of both deployments. One that was killed is as good as new.
struct Both {
    ours: ServerPair,
    real: ServerPair,
}

impl Both {
    fn start() -> anyhow::Result<Self> {
        Ok(Self { ours: ServerPair::start(Redis::Durable)?, real: ServerPair::start(Redis::Durable)? })
    }
}

/// Runs all kills in one deployment; starts nothing if there are none.
async fn one_world(
    kind: &Kind,
    servers: &mut ServerPair,
    config: Config,
    kills: Vec<Kill>,
) -> anyhow::Result<Vec<Judgement>> {
    if kills.is_empty() {
        return Ok(Vec::new());
    }
    let deployment =
        Deployment::start(kind, &topology::application(config, &[]), &servers.create_database("faults")?).await?;
    let DrillResult { phases, sent, table } = drill::run(deployment, servers, config, kills).await?;
    Ok(judge::all(phases, &sent, &table))
}

fn verdict(name: String, ours: Option<&Judgement>, real: Option<&Judgement>) -> Verdict {
    let deployments = [("daprlet", ours), ("daprd", real)];
    let errors = deployments.iter().filter_map(|(deployment, it)| it.map(|it| (deployment, &it.errors)));
    let errors = errors.flat_map(|(deployment, all)| all.iter().map(move |it| format!("{deployment}: {it}\n")));
    let difference: String = errors.collect();
    let outcome = if difference.is_empty() { Outcome::Same } else { Outcome::Different };
    let said = deployments.map(|(_, it)| it.map_or_else(|| "-".to_owned(), |it| it.summary.clone()));
    let difference = if difference.is_empty() { difference } else { format!("--- {name}\n{difference}") };
    Verdict { name, said, outcome, difference }
}
