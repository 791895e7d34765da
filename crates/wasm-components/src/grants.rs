//! What a component may reach of the world outside. Nothing, unless somebody says so.

mod folder;
mod hosts;

use building_blocks::Secret;

pub use folder::{Folder, FolderError};
pub use hosts::{HostRule, HostRuleError};

/// What a component may reach.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Hosts that it may connect to, over TCP. It can resolve no other names.
    pub hosts: Vec<HostRule>,
    /// Folders that it may use.
    pub dirs: Vec<Folder>,
    /// Its environment.
    pub env: Vec<(String, Secret)>,
}
