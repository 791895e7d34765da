//! Random kills and faults for a given time: in each round a few, at moments chosen by a seed.

use std::time::{Duration, Instant};

use deployments::{Config, Faults, Kind, Programs};
use fastrand::Rng;

use super::kill::{self, Kill};
use super::{Both, one_world, verdict};
use crate::suite::Verdict;

/// Kills in a round, after which all acknowledged events are checked.
const KILLS_IN_A_ROUND: usize = 8;

/// Duration and seed of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chaos {
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
}

/// Totals of a run in one deployment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    /// Faults that are no kill: clocks, disks, servers that stop answering.
    pub(crate) other_faults: usize,
    /// Events reported to users as recorded or deferred.
    pub(crate) acknowledged: usize,
}

/// Kills processes of daprlet, and of the real deployment if `programs` is given, until the time is over.
///
/// Returns the verdicts and the totals of each deployment.
pub(crate) async fn run(
    programs: Option<&Programs>,
    chaos: Chaos,
    mut report: impl FnMut(&Verdict),
) -> anyhow::Result<(Vec<Verdict>, [Tally; 2])> {
    let begin = Instant::now();
    let mut rng = Rng::with_seed(chaos.seed);
    let mut servers = tokio::task::block_in_place(Both::start)?;
    let (mut verdicts, mut tallies) = (Vec::new(), [Tally::default(); 2]);
    let mut round = 0;
    while begin.elapsed() < chaos.duration {
        let config = *[Config::Production, Config::Development].get(rng.usize(..2)).unwrap_or(&Config::Production);
        let mut all = kill::daprlet_kills(config);
        if Faults::are_available() {
            all.extend(kill::machine_faults(config));
        }
        let ours = choose(&mut rng, &all);
        let real = choose(&mut rng, &kill::real_kills(config));
        let ours = one_world(&Kind::Daprlet, &mut servers.ours, config, ours);
        let kind = programs.map(|programs| Kind::Real(programs.clone()));
        let real = async {
            match &kind {
                Some(kind) => one_world(kind, &mut servers.real, config, real).await,
                None => Ok(Vec::new()),
            }
        };
        let judged: [_; 2] = tokio::try_join!(ours, real)?.into();
        for (deployment, (judgements, tally)) in judged.iter().zip(&mut tallies).enumerate() {
            for judgement in judgements {
                if !judgement.was_skipped {
                    *if judgement.kill.is_kill() { &mut tally.kills } else { &mut tally.other_faults } += 1;
                }
                tally.acknowledged += judgement.acknowledged;
                let name =
                    format!("chaos, seed {}, round {round}, {}/: {}", chaos.seed, config.folder(), judgement.kill);
                let sides = if deployment == 0 { [Some(judgement), None] } else { [None, Some(judgement)] };
                let verdict = verdict(name, sides[0], sides[1]);
                report(&verdict);
                verdicts.push(verdict);
            }
        }
        round += 1;
    }
    Ok((verdicts, tallies))
}

/// Chooses a few of `all`, in any order, with repetitions.
fn choose(rng: &mut Rng, all: &[Kill]) -> Vec<Kill> {
    (0..KILLS_IN_A_ROUND).filter_map(|_| rng.choice(all).copied()).collect()
}
