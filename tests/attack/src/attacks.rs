//! The attacks, by who attacks.

mod clients;
mod components;
mod images;
mod modules;
mod sql;

use std::time::Duration;

use anyhow::Result;

use crate::target::{Setup, Target};

/// Attacks a target, and returns a remark or the harm.
type Act = Box<dyn Fn(&Target, Duration) -> Result<String> + Sync>;

/// One attack.
pub(crate) struct Attack {
    pub(crate) name: String,
    /// Adds what the attack needs to the process before it starts.
    pub(crate) prepare: Box<dyn Fn(&mut Setup) + Sync>,
    /// Attacks for about this long; returns a remark for the table, or the harm that was done.
    pub(crate) act: Act,
    pub(crate) effects: Effects,
}

/// Effects of an attack that are no harm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effects {
    /// The attacker goes on until the process ends, and keeps the memory that it may have.
    pub(crate) keeps_memory: bool,
    /// The clients' own work takes the processors, so that the neighbour's figures are told only.
    pub(crate) loads_clients: bool,
}

impl Attack {
    fn new(
        name: impl Into<String>,
        prepare: impl Fn(&mut Setup) + Sync + 'static,
        act: impl Fn(&Target, Duration) -> Result<String> + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), prepare: Box::new(prepare), act: Box::new(act), effects: Effects::default() }
    }

    /// Says that the attacker does not stop.
    fn keeping_memory(mut self) -> Self {
        self.effects.keeps_memory = true;
        self
    }

    /// Says that the clients take processors themselves.
    fn loading_clients(mut self) -> Self {
        self.effects.loads_clients = true;
        self
    }
}

/// All attacks; in the quick form without those that take minutes or repeat what another one shows.
pub(crate) fn all(quick: bool) -> Vec<Attack> {
    let mut attacks = modules::all(quick);
    attacks.extend(components::all(quick));
    attacks.extend(clients::all());
    attacks.extend(images::all());
    attacks.extend(sql::all());
    attacks
}
