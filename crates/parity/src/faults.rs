//! Every process is killed in turn, under load: what a user's answer acknowledged is in the table of events, once.
//!
//! This is no comparison: both worlds are held to the same rules, and a line of the table is `same` where both keep them.
//! WasmEdge and `dapr run` start nothing again, and systemd or Kubernetes does; here it is the harness, which gives a
//! killed process its old command, folder and ports, and never touches the others.

mod chaos;
mod drill;
mod judge;
mod load;
mod table;
mod victim;

use worlds::{Config, Kind, Pair, Programs, Redis, World, bed};

use crate::suite::{Outcome, Verdict};
pub(crate) use chaos::{Chaos, Tally, run as run_chaos};
use drill::Course;
use judge::Judgement;
use victim::Blow;

/// Kills in both worlds whatever `only` is about.
pub(crate) async fn run(
    programs: &Programs,
    only: &str,
    mut told: impl FnMut(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let named = |config: Config, blow: &Blow| format!("fault: {}/: {blow}", config.folder());
    let mut verdicts = Vec::new();
    let mut servers = None;
    for config in [Config::Production, Config::Development] {
        let mut blows = [victim::to_daprlet(config), victim::to_the_real_world(config)];
        blows.iter_mut().for_each(|all| all.retain(|blow| named(config, blow).contains(only)));
        if blows.iter().all(Vec::is_empty) {
            continue;
        }
        let servers = match &mut servers {
            Some(started) => started,
            none => none.insert(tokio::task::block_in_place(Both::start)?),
        };
        let dapr = Kind::Real(programs.clone());
        let [ours, real] = blows;
        let ours = one_world(&Kind::Daprlet, &mut servers.ours, config, ours);
        let real = one_world(&dapr, &mut servers.real, config, real);
        let (ours, real) = tokio::try_join!(ours, real)?;
        for blow in judge::blows(&ours, &real) {
            let verdict = verdict(named(config, &blow), judge::of(&ours, blow), judge::of(&real, blow));
            told(&verdict);
            verdicts.push(verdict);
        }
    }
    Ok(verdicts)
}

/// The servers of both worlds. A database that was killed is no worse than a new one.
struct Both {
    ours: Pair,
    real: Pair,
}

impl Both {
    fn start() -> anyhow::Result<Self> {
        Ok(Self { ours: Pair::start(Redis::Durable)?, real: Pair::start(Redis::Durable)? })
    }
}

/// Nothing is started where nothing is to be killed.
async fn one_world(
    kind: &Kind,
    servers: &mut Pair,
    config: Config,
    blows: Vec<Blow>,
) -> anyhow::Result<Vec<Judgement>> {
    if blows.is_empty() {
        return Ok(Vec::new());
    }
    let world = World::start(kind, &bed::application(config, &[]), &servers.of("faults")?).await?;
    let Course { phases, sent, table } = drill::run(world, servers, config, blows).await?;
    Ok(judge::all(phases, &sent, &table))
}

fn verdict(name: String, ours: Option<&Judgement>, real: Option<&Judgement>) -> Verdict {
    let worlds = [("daprlet", ours), ("daprd", real)];
    let complaints = worlds.iter().filter_map(|(world, it)| it.map(|it| (world, &it.complaints)));
    let complaints = complaints.flat_map(|(world, all)| all.iter().map(move |it| format!("{world}: {it}\n")));
    let difference: String = complaints.collect();
    let outcome = if difference.is_empty() { Outcome::Same } else { Outcome::Different };
    let said = worlds.map(|(_, it)| it.map_or_else(|| "-".to_owned(), |it| it.summary.clone()));
    let difference = if difference.is_empty() { difference } else { format!("--- {name}\n{difference}") };
    Verdict { name, said, outcome, difference }
}
