//! Everything in the folders of `--resources-path`: `dapr/pkg/internal/loader/disk`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::component::{self, ComponentResource};
use crate::document::{self, Document, Names, Reader};
use crate::head;
use crate::http_endpoint::{self, HttpEndpointResource};
use crate::problem::{Problem, Problems};

/// Kinds that may lie in a resources folder and that daprlet does not serve.
const OTHER_KINDS: &[&str] = &["Configuration", "Resiliency", "Subscription", "WorkflowAccessPolicy"];

/// What folders of resources hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Components, in the order of their files.
    pub components: Vec<ComponentResource>,
    /// Components that are middleware, where somebody has told them from the others.
    pub middleware: Vec<ComponentResource>,
    /// Servers outside, likewise.
    pub http_endpoints: Vec<HttpEndpointResource>,
    /// What has no effect.
    pub warnings: Vec<Problem>,
}

impl Resources {
    /// Leaves what the application `app_id` sees.
    pub fn retain_visible_to(&mut self, app_id: &str) {
        self.components.retain(|component| component.is_visible_to(app_id));
        self.http_endpoints.retain(|endpoint| is_visible(&endpoint.scopes, app_id));
    }
}

/// Whether `scopes` include the application `app_id`.
pub(crate) fn is_visible(scopes: &[String], app_id: &str) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| scope == app_id)
}

/// Reads all resources in `folders`: every `.yaml` and `.yml` file right in them, as Dapr's disk loader does. Those of
/// another namespace than `namespace` (the environment's `NAMESPACE`) are left out.
///
/// # Errors
/// Every mistake in them.
pub fn load(folders: &[PathBuf], namespace: Option<&str>) -> Result<Resources, Problems> {
    let mut problems = Problems::default();
    let mut resources = Resources::default();
    for file in folders.iter().filter_map(|folder| problems.collect(files(folder))).collect::<Vec<_>>().concat() {
        for document in problems.collect(document::read(&file)).unwrap_or_default() {
            read(&document, namespace, &mut resources, &mut problems);
        }
    }
    let components = resources.components.iter().map(|it| ("a component", &it.name, &it.origin));
    let endpoints = resources.http_endpoints.iter().map(|it| ("an HTTPEndpoint", &it.name, &it.origin));
    let mut seen = BTreeMap::new();
    for (kind, name, origin) in components.chain(endpoints) {
        if let Some(first) = seen.insert((kind, name), origin) {
            problems.push(Problem::new(origin, format!("there is {kind} {name:?} already, at {first}")));
        }
    }
    problems.into_result().map(|warnings| Resources { warnings, ..resources })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Problems> {
    let fail = |error: std::io::Error| Problem::new(&folder.display().to_string(), error.to_string());
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

fn read(document: &Document, namespace: Option<&str>, resources: &mut Resources, problems: &mut Problems) {
    let Some(mut root) = Reader::new(document, Names::AnyCase, problems) else { return };
    let kind = root.required("kind", problems);
    if OTHER_KINDS.contains(&kind.as_str()) {
        root.warn("kind", format!("is {kind}, which daprlet does not serve yet; it has no effect"), problems);
        return;
    }
    if kind != "Component" && kind != "HTTPEndpoint" {
        if !kind.is_empty() {
            root.mistake("kind", format!("is {kind}, which Dapr does not know"), problems);
        }
        return;
    }
    let (head, elsewhere) = head::read(&mut root, namespace, problems);
    match root.mapping("spec", problems) {
        Some(spec) if kind == "Component" => {
            let component = component::read(head, spec, problems);
            resources.components.extend((!elsewhere).then_some(component));
        }
        Some(spec) => {
            let endpoint = http_endpoint::read(head, spec, problems);
            resources.http_endpoints.extend((!elsewhere).then_some(endpoint));
        }
        None => problems.push(Problem::new(&root.place(), "spec is missing")),
    }
    root.finish(problems);
}
