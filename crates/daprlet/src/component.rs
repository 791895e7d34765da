//! `daprlet component`: components of building blocks by themselves.

mod module;
mod serve;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Component {
    /// Serves a component to the real Dapr as a pluggable component: gRPC on a Unix socket.
    Serve(Box<serve::Serve>),
}

/// Does what the command says.
pub(crate) async fn run(command: Component) -> anyhow::Result<()> {
    match command {
        Component::Serve(arguments) => serve::run(*arguments).await,
    }
}
