//! Kills at random, for as long as is asked: in each round a few processes of both worlds, at moments that a seed chooses.

use std::time::{Duration, Instant};

use fastrand::Rng;
use worlds::{Config, Kind, Programs};

use super::victim::{self, Blow};
use super::{Both, one_world, verdict};
use crate::suite::Verdict;

/// Kills between two looks at everything that was acknowledged.
const KILLS_IN_A_ROUND: usize = 8;

/// Length and course of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chaos {
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
}

/// Totals of a run in one world.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    /// Events whose senders were told that they are recorded or will be.
    pub(crate) acknowledged: usize,
}

/// Disturbs daprlet, and the real world where its `programs` are given, round after round until the time is over. Returns the
/// verdicts and what each world has borne.
pub(crate) async fn run(
    programs: Option<&Programs>,
    chaos: Chaos,
    mut told: impl FnMut(&Verdict),
) -> anyhow::Result<(Vec<Verdict>, [Tally; 2])> {
    let begin = Instant::now();
    let mut rng = Rng::with_seed(chaos.seed);
    let mut servers = tokio::task::block_in_place(Both::start)?;
    let (mut verdicts, mut tallies) = (Vec::new(), [Tally::default(); 2]);
    let mut round = 0;
    while begin.elapsed() < chaos.duration {
        let config = *[Config::Production, Config::Development].get(rng.usize(..2)).unwrap_or(&Config::Production);
        let ours = choose(&mut rng, &victim::to_daprlet(config));
        let real = choose(&mut rng, &victim::to_the_real_world(config));
        let ours = one_world(&Kind::Daprlet, &mut servers.ours, config, ours);
        let kind = programs.map(|programs| Kind::Real(programs.clone()));
        let real = async {
            match &kind {
                Some(kind) => one_world(kind, &mut servers.real, config, real).await,
                None => Ok(Vec::new()),
            }
        };
        let judged: [_; 2] = tokio::try_join!(ours, real)?.into();
        for (world, (judgements, tally)) in judged.iter().zip(&mut tallies).enumerate() {
            for judgement in judgements {
                tally.kills += 1;
                tally.acknowledged += judgement.acknowledged;
                let name =
                    format!("chaos, seed {}, round {round}, {}/: {}", chaos.seed, config.folder(), judgement.blow);
                let sides = if world == 0 { [Some(judgement), None] } else { [None, Some(judgement)] };
                let verdict = verdict(name, sides[0], sides[1]);
                told(&verdict);
                verdicts.push(verdict);
            }
        }
        round += 1;
    }
    Ok((verdicts, tallies))
}

/// A few of `all`, in any order and any number of times.
fn choose(rng: &mut Rng, all: &[Blow]) -> Vec<Blow> {
    (0..KILLS_IN_A_ROUND).filter_map(|_| rng.choice(all).copied()).collect()
}
