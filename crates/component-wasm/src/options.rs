//! Options and limits of a component.

use std::time::Duration;

use dapr_building_blocks::Properties;

use crate::grants::Grants;

/// Options of one component.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Name for the log.
    pub name: String,
    /// Properties passed to its `init`.
    pub properties: Properties,
    /// Access to the outside; nothing by default.
    pub grants: Grants,
    /// Resource limits.
    pub limits: Limits,
}

impl Options {
    /// Creates options with a name and defaults.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// Resource limits of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// Time limit of one call, including the wait for an instance.
    pub call: Duration,
    /// Maximum instances of a component that allows several; others have one.
    pub instances: usize,
}

impl Default for Limits {
    /// 256 MiB, 10 s, 8 instances.
    fn default() -> Self {
        Self { memory: 256 << 20, call: Duration::from_secs(10), instances: 8 }
    }
}

impl Limits {
    /// Maximum bytes that one call may pass, in either direction.
    ///
    /// The argument has to fit into the instance's memory beside its data: a call that did not fit would end the
    /// instance.
    pub(crate) const fn call_bytes(&self) -> usize {
        self.memory / 4
    }
}
