//! What a component is given, and how much it may use.

use std::time::Duration;

use building_blocks::Properties;

use crate::grants::Grants;

/// How one component is to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the log calls it.
    pub name: String,
    /// What its `init` gets.
    pub properties: Properties,
    /// What it may reach; nothing by default.
    pub grants: Grants,
    /// How much it may use.
    pub limits: Limits,
}

impl Options {
    /// A component of that name with nothing else given.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// How much a component may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// How long one call may take, waiting included.
    pub call: Duration,
    /// The most instances of a component that may have many; one that may not has one.
    pub instances: usize,
}

impl Default for Limits {
    /// 256 MiB, 10 s, 8 instances.
    fn default() -> Self {
        Self { memory: 256 << 20, call: Duration::from_secs(10), instances: 8 }
    }
}

impl Limits {
    /// The most that one call may hand over, in either direction. What goes in has to fit into the instance's memory beside
    /// what is there: a call that did not fit would end the instance.
    pub(crate) const fn call_bytes(&self) -> usize {
        self.memory / 4
    }
}
