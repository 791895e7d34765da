//! Grants: access of a component to hosts, directories and environment variables. Nothing by default.

mod hosts;
mod preopen;

use dapr_building_blocks::Secret;

pub use hosts::{HostRule, HostRuleError};
pub use preopen::{Preopen, PreopenError};

/// Access of a component to the outside.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Hosts that it may connect to, over TCP. No other names can be resolved.
    pub hosts: Vec<HostRule>,
    /// Directories that it may use.
    pub dirs: Vec<Preopen>,
    /// Environment variables.
    pub env: Vec<(String, Secret)>,
}
