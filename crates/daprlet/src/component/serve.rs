//! `daprlet component serve`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use component_pluggable::{Block, ComponentFactory, Socket};
use dapr_building_blocks::component::{Context, CreateError};
use dapr_building_blocks::{ComponentSpec, InitError, Properties, Registry, Secret};
use tokio_util::sync::CancellationToken;

use super::module::Module;
use crate::cli::Process;
use crate::environment::Environment;
use crate::exit::UsageError;
use crate::log::Log;
use crate::{components, shutdown};

/// Serves a component to Dapr itself as a pluggable component: gRPC on a Unix socket.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  daprlet component serve --module state-redis.wasm --allow-hosts redis:6379 --socket /tmp/dapr-components-sockets/wasm-redis.sock

Dapr looks for sockets when it starts, in /tmp/dapr-components-sockets or where DAPR_COMPONENTS_SOCKETS_FOLDER says. The
socket's name is the component's: with the one above, a component YAML says `type: state.wasm-redis` and `version: v1`. Its
metadata goes to the component; what the component is granted is said here and cannot be said there.")]
pub(crate) struct Serve {
    #[command(flatten)]
    module: Module,

    /// A state store or secret store of this build, such as state.sqlite, instead of a module.
    #[arg(long = "type", value_name = "TYPE")]
    type_: Option<String>,

    /// The Unix socket. Its directory is created if missing.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,

    #[command(flatten)]
    process: Process,
}

/// Serves until a signal asks it to stop.
pub(super) async fn run(arguments: Serve) -> anyhow::Result<()> {
    let Serve { module, type_, socket, process } = arguments;
    let log = Log::start(process.log_format(), process.log_filter("info")?, Vec::new())?;
    let environment = Environment::from_process();
    let cache = environment.cache(process.cache);
    let registry = Arc::new(components::built_in(&cache));
    let (type_, block) = match (&module.module, type_) {
        (Some(file), _) => describe_module(file, &cache).await?,
        (None, type_) => describe_type(type_.unwrap_or_default(), &registry)?,
    };
    let end = CancellationToken::new();
    tokio::spawn(shutdown::on_signals(end.clone())?);
    let bound = Socket::bind(&socket).await?;
    let (kind, name) = (type_.split('.').next().unwrap_or_default(), socket.file_stem().unwrap_or_default());
    tracing::info!(socket = %socket.display(), "serving; in Dapr it is type: {kind}.{}", name.display());
    let factory = factory(registry, type_, module.properties(), environment.context()?);
    let ended = component_pluggable::serve(block, factory, bound, end).await;
    log.flush();
    Ok(ended?)
}

/// Returns the building block as which a built-in component type is served.
fn describe_type(type_: String, registry: &Registry) -> anyhow::Result<(String, Block)> {
    if !registry.knows(&type_) {
        let like = registry.suggest(&type_).map(|known| format!(", did you mean {known}?")).unwrap_or_default();
        return Err(UsageError(format!("--type: there is no component type {type_:?}{like}")).into());
    }
    match type_.split('.').next().unwrap_or_default() {
        "state" => Ok((type_, Block::StateStore)),
        "secretstores" => Ok((type_, Block::SecretStore)),
        _ => Err(UsageError(format!("--type: Dapr has {type_} itself")).into()),
    }
}

/// Returns the component type that loads the module, and the building block as which it is served.
///
/// Compiles the module, so that an invalid one is reported now and the first sidecar does not wait.
#[cfg(feature = "wasm-components")]
async fn describe_module(file: &Path, cache: &Path) -> anyhow::Result<(String, Block)> {
    use component_wasm::{Engine, World, component_type};
    let module = Engine::new(Some(cache.to_owned()))?.load(file, None).await;
    let module = module.map_err(|error| UsageError(format!("{}: {error}", file.display())))?;
    let no_world = || UsageError(format!("{}: the component is of no world of dapr:components", file.display()));
    let world = module.world().ok_or_else(no_world)?;
    let block = match world {
        World::StateStore => Block::StateStore,
        World::SecretStore => Block::SecretStore,
        World::OutputBinding => Block::OutputBinding,
    };
    Ok((component_type(world).to_owned(), block))
}

#[cfg(not(feature = "wasm-components"))]
async fn describe_module(_: &Path, _: &Path) -> anyhow::Result<(String, Block)> {
    Err(UsageError("this daprlet was built without the feature component-wasm".to_owned()).into())
}

/// Returns a factory of components of `type_`.
///
/// The flags and the properties of Dapr's YAML configure them.
fn factory(registry: Arc<Registry>, type_: String, flags: Properties, context: Context) -> ComponentFactory {
    Arc::new(move |name, given| {
        let (registry, context, type_) = (registry.clone(), context.clone(), type_.clone());
        let properties = merge(&flags, given);
        Box::pin(async move {
            let spec = ComponentSpec { name, type_, properties: properties?, ..ComponentSpec::default() };
            registry.create(spec, context).await.map_err(|error| match error {
                CreateError::Init { source, .. } => source,
                other => InitError::misconfigured(other),
            })
        })
    })
}

/// Merges the properties of a YAML into those of the flags, which the YAML cannot override.
fn merge(flags: &Properties, given: BTreeMap<String, Secret>) -> Result<Properties, InitError> {
    let mut properties = flags.clone();
    for (name, value) in given {
        if is_host_property(flags, &name) {
            let why = format!("property {name:?} is set by the flags of `daprlet component serve`");
            return Err(InitError::misconfigured(why));
        }
        properties.push_secret(name, value);
    }
    Ok(properties)
}

/// Returns true if only the operator may set the property. Native components have no such properties.
#[cfg(feature = "wasm-components")]
fn is_host_property(flags: &Properties, name: &str) -> bool {
    flags.get("module").is_some() && component_wasm::HOST_PROPERTIES.iter().any(|its| its.eq_ignore_ascii_case(name))
}

#[cfg(not(feature = "wasm-components"))]
fn is_host_property(_: &Properties, _: &str) -> bool {
    false
}
