//! Composition with wac.

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, PlugError};

use crate::error::FuseError;
use crate::part::Part;

/// Composes `consumer` and the `providers` of its imports into one component.
///
/// The imports of each provider may be provided by the next.
///
/// # Errors
/// When a provider exports nothing that is imported, or exports it in another version.
pub fn fuse(consumer: &Part<'_>, providers: &[Part<'_>]) -> Result<Part<'static>, FuseError> {
    let mut fused = Part { name: consumer.name.clone(), bytes: consumer.bytes.to_vec().into() };
    for provider in providers {
        fused = plug(&fused, provider)?;
    }
    Ok(fused)
}

fn plug(consumer: &Part<'_>, provider: &Part<'_>) -> Result<Part<'static>, FuseError> {
    let mut graph = CompositionGraph::new();
    let socket = register(&mut graph, "consumer", consumer)?;
    let plug = register(&mut graph, "provider", provider)?;
    let imports = imports(&graph, socket);
    let provides = exports(&graph, plug);
    match wac_graph::plug(&mut graph, vec![plug], socket) {
        Ok(()) => {}
        Err(PlugError::NoPlugHappened) => return Err(mismatch(consumer, provider, imports, provides)),
        Err(PlugError::GraphError { source }) => return Err(FuseError::Compose(format!("{source:#}"))),
    }
    let bytes = graph.encode(EncodeOptions::default()).map_err(|error| FuseError::Compose(format!("{error:#}")))?;
    let fused = Part { name: format!("{} with {}", consumer.name, provider.name), bytes: bytes.into() };
    // wac silently ignores exports that do not fit; the result would fail later.
    let mut after = CompositionGraph::new();
    let fused_package = register(&mut after, "fused", &fused)?;
    let remaining = self::imports(&after, fused_package);
    let is_incompatible =
        |imported: &&String| provides.iter().any(|provided| interface(provided) == interface(imported));
    match remaining.iter().find(|imported| imports.contains(imported) && is_incompatible(imported)) {
        Some(_) => Err(mismatch(consumer, provider, remaining, provides)),
        None => Ok(fused),
    }
}

fn mismatch(consumer: &Part<'_>, provider: &Part<'_>, imports: Vec<String>, provides: Vec<String>) -> FuseError {
    let (provider, consumer) = (provider.name.clone(), consumer.name.clone());
    let pairs = imports.iter().flat_map(|imported| provides.iter().map(move |provided| (imported, provided)));
    let incompatible = pairs.into_iter().find(|(imported, provided)| interface(imported) == interface(provided));
    match incompatible {
        Some((imported, provided)) => {
            FuseError::Incompatible { provider, provided: provided.clone(), consumer, imported: imported.clone() }
        }
        None => FuseError::NoMatchingInterface { provider, provides, consumer, imports },
    }
}

/// Returns the interface name without its version.
fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

fn register(graph: &mut CompositionGraph, name: &str, part: &Part<'_>) -> Result<PackageId, FuseError> {
    let bytes = part.bytes.to_vec();
    let package = Package::from_bytes(name, None, bytes, graph.types_mut());
    let package = package.and_then(|package| Ok(graph.register_package(package)?));
    package.map_err(|error| FuseError::InvalidComponent { name: part.name.clone(), why: format!("{error:#}") })
}

pub(crate) fn imports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].imports.keys().cloned().collect()
}

pub(crate) fn exports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].exports.keys().cloned().collect()
}

/// Returns a component's imports and exports.
pub(crate) fn interfaces(part: &Part<'_>) -> Result<(Vec<String>, Vec<String>), FuseError> {
    let mut graph = CompositionGraph::new();
    let package = register(&mut graph, "component", part)?;
    Ok((imports(&graph, package), exports(&graph, package)))
}
