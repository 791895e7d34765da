//! `daprlet component`: commands for a single building-block component.

mod module;
mod serve;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Component {
    /// Serves a component to the real Dapr as a pluggable component: gRPC on a Unix socket.
    Serve(Box<serve::Serve>),
}

/// Runs the given subcommand.
pub(crate) async fn run(command: Component) -> anyhow::Result<()> {
    match command {
        Component::Serve(arguments) => serve::run(*arguments).await,
    }
}
