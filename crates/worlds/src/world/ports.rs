//! Ports that nobody uses at the moment.

use std::net::TcpListener;

use anyhow::Context as _;

/// That many, all different: they are held until all are known.
pub(crate) fn free(count: usize) -> anyhow::Result<Vec<u16>> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>().context("no free port")?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

pub(crate) fn next(ports: &mut impl Iterator<Item = u16>) -> anyhow::Result<u16> {
    ports.next().context("more ports were asked for than there are")
}
