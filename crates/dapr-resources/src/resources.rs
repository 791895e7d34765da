//! Resources in the directories of `--resources-path`: `dapr/pkg/internal/loader/disk`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::component::{self, ComponentResource};
use crate::config_error::{ConfigError, ConfigErrors};
use crate::document::{self, Document, Names, Reader};
use crate::http_endpoint::{self, HttpEndpointResource};
use crate::resiliency::{self, ResiliencyResource};
use crate::resource_header;
use crate::subscription::{self, SubscriptionResource};

/// Versions of resources.
const V1: &str = "dapr.io/v1alpha1";
const V2: &str = "dapr.io/v2alpha1";

/// Kinds of resource that Dapr knows and daprlet does not support.
const OTHER_KINDS: &[&str] = &["Configuration", "WorkflowAccessPolicy"];

/// Contents of resource directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Components, in file order.
    pub components: Vec<ComponentResource>,
    /// Middleware components, once they are separated from the others.
    pub middleware: Vec<ComponentResource>,
    /// HTTP endpoints, in file order.
    pub http_endpoints: Vec<HttpEndpointResource>,
    /// Subscriptions, in file order.
    pub subscriptions: Vec<SubscriptionResource>,
    /// Resiliency policies, in file order.
    pub resiliency: Vec<ResiliencyResource>,
    /// Fields that have no effect.
    pub warnings: Vec<ConfigError>,
}

impl Resources {
    /// Keeps only the resources that the application `app_id` sees.
    pub fn retain_visible_to(&mut self, app_id: &str) {
        self.components.retain(|component| component.is_visible_to(app_id));
        self.http_endpoints.retain(|endpoint| is_visible(&endpoint.scopes, app_id));
        self.subscriptions.retain(|subscription| is_visible(&subscription.scopes, app_id));
        self.resiliency.retain(|resiliency| is_visible(&resiliency.scopes, app_id));
    }
}

/// Returns true if `scopes` include the application `app_id`.
pub(crate) fn is_visible(scopes: &[String], app_id: &str) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| scope == app_id)
}

/// Reads all resources in `folders`.
///
/// These are all `.yaml` and `.yml` files directly in them, as in Dapr's disk loader.
///
/// Resources of another namespace than `namespace` (the environment's `NAMESPACE`) are skipped.
///
/// # Errors
/// All errors in the files.
pub fn load(folders: &[PathBuf], namespace: Option<&str>) -> Result<Resources, ConfigErrors> {
    let mut errors = ConfigErrors::default();
    let mut resources = Resources::default();
    for file in folders.iter().filter_map(|folder| errors.collect(files(folder))).collect::<Vec<_>>().concat() {
        for document in errors.collect(document::read(&file)).unwrap_or_default() {
            read(&document, namespace, &mut resources, &mut errors);
        }
    }
    let components = resources.components.iter().map(|it| ("a component", &it.name, &it.origin));
    let endpoints = resources.http_endpoints.iter().map(|it| ("an HTTPEndpoint", &it.name, &it.origin));
    let mut seen = BTreeMap::new();
    let subscriptions = resources.subscriptions.iter().map(|it| ("a Subscription", &it.name, &it.origin));
    let resiliency = resources.resiliency.iter().map(|it| ("a Resiliency", &it.name, &it.origin));
    for (kind, name, origin) in components.chain(endpoints).chain(subscriptions).chain(resiliency) {
        if let Some(first) = seen.insert((kind, name), origin) {
            errors.push(ConfigError::new(origin, format!("there is {kind} {name:?} already, at {first}")));
        }
    }
    errors.into_result().map(|warnings| Resources { warnings, ..resources })
}

/// Lists the files in `folder` that are read.
///
/// # Errors
/// When the directory cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, ConfigErrors> {
    let fail = |error: std::io::Error| ConfigError::new(&folder.display().to_string(), error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let is =
            |extension: &std::ffi::OsStr| ["yaml", "yml"].iter().any(|known| extension.eq_ignore_ascii_case(known));
        let is_yaml = path.extension().is_some_and(is);
        if is_yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(document: &Document, namespace: Option<&str>, resources: &mut Resources, errors: &mut ConfigErrors) {
    let Some(mut root) = Reader::new(document, Names::AnyCase, errors) else { return };
    let kind = root.required("kind", errors);
    if OTHER_KINDS.contains(&kind.as_str()) {
        root.warn("kind", format!("is {kind}, which daprlet does not support yet; it has no effect"), errors);
        return;
    }
    if !["Component", "HTTPEndpoint", "Resiliency", "Subscription"].contains(&kind.as_str()) {
        if !kind.is_empty() {
            root.reject("kind", format!("is {kind}, which Dapr does not know"), errors);
        }
        return;
    }
    let versions: &[&str] = if kind == "Subscription" { &[V1, V2] } else { &[V1] };
    let version = root.required("apiVersion", errors);
    if !version.is_empty() && !versions.contains(&version.as_str()) {
        root.reject("apiVersion", format!("is {version}, but must be {}", versions.join(" or ")), errors);
    }
    let (header, elsewhere) = resource_header::read(&mut root, namespace, errors);
    match (root.mapping("spec", errors), kind.as_str()) {
        (Some(spec), "Component") => {
            let component = component::read(header, spec, errors);
            resources.components.extend((!elsewhere).then_some(component));
        }
        (Some(spec), "Subscription") => {
            let subscription = subscription::read(header, version == V2, spec, errors);
            resources.subscriptions.extend((!elsewhere).then_some(subscription));
        }
        (Some(spec), "Resiliency") => {
            let resiliency = resiliency::read(header, spec, errors);
            resources.resiliency.extend((!elsewhere).then_some(resiliency));
        }
        (Some(spec), _) => {
            let endpoint = http_endpoint::read(header, spec, errors);
            resources.http_endpoints.extend((!elsewhere).then_some(endpoint));
        }
        (None, _) => errors.push(ConfigError::new(&root.place(), "spec is missing")),
    }
    root.finish(errors);
}
