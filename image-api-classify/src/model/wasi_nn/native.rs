//! Placeholder for native builds, which have no host.

use super::Kind;

/// A network on the host; never constructed.
pub(super) enum Graph {}

impl Graph {
    pub(super) fn open(_: &str, _: &[u8]) -> Result<Self, String> {
        Err("this program does not run as WebAssembly, so there is no wasi-nn".to_owned())
    }

    pub(super) fn compute(&self, _: &[u32], _: Kind, _: Vec<u8>, _: usize) -> Result<(Kind, Vec<u8>), String> {
        match *self {}
    }
}
